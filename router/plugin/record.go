package plugin

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"horizon-realtime/router/plugin/guest"
)

// record is what outlives a plugin's versions: its store, its log and its
// counters. Plugins of the same name share one.
type record struct {
	// gone is when the file disappeared; zero while there is one.
	gone   time.Time
	store  *guest.Store
	log    *guest.Log
	budget *emissionBudget
	faults map[guest.Kind]*atomic.Uint64
	// instances counts those that exist, renewals those that were replaced because
	// their memory had grown.
	instances atomic.Int64
	renewals  atomic.Uint64
	// renewed is when the last one was, in Unix nanoseconds.
	renewed atomic.Int64
	// perRunner counts the calls separately for each runner, so that no two write
	// to the same cache line.
	perRunner []counters
}

// counters are one runner's.
type counters struct {
	calls, skipped, emissions, dropped, stopped, fuel atomic.Uint64
	_                                                 [80]byte
}

func (r *record) counters(runner int) *counters { return &r.perRunner[runner] }

// renewEvery bounds how often an instance of a plugin is replaced because its
// memory has grown; one that grows in every call would be replaced after each.
const renewEvery = time.Second

// renew reports whether an instance may be replaced now, and counts it if so.
func (r *record) renew(now time.Time) bool {
	last := r.renewed.Load()
	if now.UnixNano()-last < int64(renewEvery) || !r.renewed.CompareAndSwap(last, now.UnixNano()) {
		return false
	}
	r.renewals.Add(1)
	return true
}

// totals are the counters of all runners.
type totals struct{ calls, skipped, emissions, dropped, stopped, fuel uint64 }

// totals adds up what the runners counted.
func (r *record) totals() (t totals) {
	for i := range r.perRunner {
		c := &r.perRunner[i]
		t.calls += c.calls.Load()
		t.skipped += c.skipped.Load()
		t.emissions += c.emissions.Load()
		t.dropped += c.dropped.Load()
		t.stopped += c.stopped.Load()
		t.fuel += c.fuel.Load()
	}
	return t
}

// records are those of all plugins. It is safe for concurrent use.
type records struct {
	cfg Config
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	byName map[string]*record
}

func newRecords(cfg Config, log *slog.Logger, now func() time.Time) *records {
	return &records{cfg: cfg, log: log, now: now, byName: make(map[string]*record)}
}

// of returns a plugin's record, and makes it if there is none.
func (rs *records) of(name string) *record {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.byName[name]
	if r == nil {
		r = newRecord(rs.cfg, rs.log.With("plugin", name))
		rs.byName[name] = r
	}
	return r
}

func newRecord(cfg Config, log *slog.Logger) *record {
	r := &record{
		store:     guest.NewStore(cfg.KVEntries, cfg.KVBytes, cfg.KVTTL),
		log:       guest.NewLog(log, cfg.LogLinesPerSecond, cfg.LogBytesPerSecond),
		budget:    newEmissionBudget(cfg.EmissionsPerSecond, cfg.EmissionsPerSecondAndProject),
		faults:    make(map[guest.Kind]*atomic.Uint64),
		perRunner: make([]counters, cfg.Workers),
	}
	for _, kind := range guest.Kinds {
		r.faults[kind] = new(atomic.Uint64)
	}
	return r
}

// forget drops the records of plugins that have been gone for kv_keep, and those
// gone longest if there are more records than there may be plugins. The others
// wait for their file to come back.
func (rs *records) forget(there map[string]bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	now := rs.now()
	var gone []string
	for name, r := range rs.byName {
		switch {
		case there[name]:
			r.gone = time.Time{}
			continue
		case r.gone.IsZero():
			r.gone = now
		}
		gone = append(gone, name)
	}
	slices.SortFunc(gone, func(a, b string) int { return rs.byName[a].gone.Compare(rs.byName[b].gone) })
	for _, name := range gone {
		if len(rs.byName) > rs.cfg.MaxPlugins || now.Sub(rs.byName[name].gone) >= rs.cfg.KVKeep {
			delete(rs.byName, name)
		}
	}
}
