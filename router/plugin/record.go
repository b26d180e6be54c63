package plugin

import "sync/atomic"

// record is what outlives a plugin's versions: its store, its log's budget and
// what it has been counted for. It is found by the plugin's name.
type record struct {
	store  *store
	log    *guestLog
	faults map[faultKind]*atomic.Uint64
	// instances is how many there are, renewals how many were replaced because
	// their memory had grown.
	instances atomic.Int64
	renewals  atomic.Uint64
	// perWorker counts the calls, apart for each worker so that no two write
	// to one cache line.
	perWorker []counters
}

// counters are one worker's.
type counters struct {
	calls, skipped, emissions, fuel atomic.Uint64
	_                               [96]byte
}

func (r *record) counters(worker int) *counters { return &r.perWorker[worker] }

// totals adds up what the workers counted.
func (r *record) totals() (calls, skipped, emissions, fuel uint64) {
	for i := range r.perWorker {
		c := &r.perWorker[i]
		calls += c.calls.Load()
		skipped += c.skipped.Load()
		emissions += c.emissions.Load()
		fuel += c.fuel.Load()
	}
	return
}

// recordOf finds a plugin's record, or begins it.
func (h *Host) recordOf(name string) *record {
	h.recordsMu.Lock()
	defer h.recordsMu.Unlock()
	if r, ok := h.records[name]; ok {
		return r
	}
	r := &record{
		store:     newStore(h.cfg.KVEntries, h.cfg.KVBytes, h.cfg.KVTTL),
		log:       newGuestLog(h.log, name, h.cfg),
		faults:    make(map[faultKind]*atomic.Uint64),
		perWorker: make([]counters, h.cfg.workers()),
	}
	for _, kind := range faultKinds {
		r.faults[kind] = new(atomic.Uint64)
	}
	h.records[name] = r
	return r
}

// forgetRecords drops the records of plugins that are gone, once there are as
// many as there may be plugins. Until then they wait for the file to come back.
func (h *Host) forgetRecords(s *set) {
	h.recordsMu.Lock()
	defer h.recordsMu.Unlock()
	if len(h.records) <= h.cfg.MaxPlugins {
		return
	}
	kept := make(map[string]*record)
	for _, f := range s.filters {
		kept[f.Name] = h.records[f.Name]
	}
	h.records = kept
}
