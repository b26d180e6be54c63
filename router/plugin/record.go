package plugin

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// record is what outlives a plugin's versions: its store, its log's budget and
// what it has been counted for. It is found by the plugin's name.
type record struct {
	// gone is since when there is no file; zero while there is one.
	gone   time.Time
	store  *store
	log    *guestLog
	faults map[faultKind]*atomic.Uint64
	// instances is how many there are, renewals how many were replaced because
	// their memory had grown.
	instances atomic.Int64
	renewals  atomic.Uint64
	// renewed is when the last one was, in Unix nanoseconds.
	renewed atomic.Int64
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

// renewEvery bounds how often an instance of a plugin is replaced because its
// memory had grown: one that grows at every call would be made anew each time.
const renewEvery = time.Second

// renew tells whether an instance may be replaced now, and counts it if so.
func (r *record) renew(now time.Time) bool {
	last := r.renewed.Load()
	if now.UnixNano()-last < int64(renewEvery) || !r.renewed.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	r.renewals.Add(1)
	return true
}

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
	r := h.newRecord(name, h.log)
	h.records[name] = r
	return r
}

func (h *Host) newRecord(name string, log *slog.Logger) *record {
	r := &record{
		store:     newStore(h.cfg.KVEntries, h.cfg.KVBytes, h.cfg.KVTTL),
		log:       newGuestLog(log, name, h.cfg),
		faults:    make(map[faultKind]*atomic.Uint64),
		perWorker: make([]counters, h.cfg.Workers),
	}
	for _, kind := range faultKinds {
		r.faults[kind] = new(atomic.Uint64)
	}
	return r
}

// forgetRecords drops the records of plugins that have been gone for kv_keep,
// their files removed or refused, and of the longest gone where there are more
// records than there may be plugins. The others wait for their file to come back. The caller holds
// reloading.
func (h *Host) forgetRecords() {
	h.recordsMu.Lock()
	defer h.recordsMu.Unlock()
	now := h.now()
	there := make(map[string]bool)
	for _, f := range h.current.Load().files {
		there[f.plugin] = there[f.plugin] || f.filter != nil || f.disabled
	}
	var gone []string
	for name, r := range h.records {
		switch {
		case there[name]:
			r.gone = time.Time{}
			continue
		case r.gone.IsZero():
			r.gone = now
		}
		gone = append(gone, name)
	}
	slices.SortFunc(gone, func(a, b string) int { return h.records[a].gone.Compare(h.records[b].gone) })
	for _, name := range gone {
		if len(h.records) > h.cfg.MaxPlugins || now.Sub(h.records[name].gone) >= h.cfg.KVKeep {
			delete(h.records, name)
		}
	}
}
