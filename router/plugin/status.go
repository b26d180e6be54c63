package plugin

import (
	"encoding/hex"
	"slices"
	"time"

	"horizon-realtime/router/event"
)

// Status is what an operator may know about one plugin in a file of the folder.
type Status struct {
	Name string `json:"name"`
	File string `json:"file"`
	// Reason says why it is in State.
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Refused says why the file as it is now was not loaded. Unless State is
	// refused, the version before it still runs.
	Refused string `json:"refused,omitempty"`
	// Version is what the module that runs says of itself, if it does.
	Version string `json:"version,omitempty"`
	// Digest is the SHA-256 of the running version, in hexadecimal.
	Digest string    `json:"digest,omitempty"`
	Loaded time.Time `json:"loaded,omitzero"`
	// On and Wants are what it asked for.
	On     []string `json:"on,omitempty"`
	Wants  []string `json:"wants,omitempty"`
	Grants []string `json:"grants,omitempty"`
	// Topics are those that it may emit to.
	Topics []string `json:"topics,omitempty"`
	// Stock says that it is of the stock set that the program carries. GrantsFrom and
	// TopicsFrom say what decides: its table, the stock set, or nothing.
	Stock      bool   `json:"stock,omitempty"`
	GrantsFrom string `json:"grants_from,omitempty"`
	TopicsFrom string `json:"topics_from,omitempty"`
	// AsksGrants and AsksTopics are what it asks for and does not have.
	AsksGrants []string `json:"asks_grants,omitempty"`
	AsksTopics []string `json:"asks_topics,omitempty"`
	// Calls, Emissions, Dropped emissions, Stopped notifications, Faults and
	// Skipped notifications count since the router started.
	Calls     uint64 `json:"calls"`
	Emissions uint64 `json:"emissions"`
	Dropped   uint64 `json:"emissions_dropped"`
	Stopped   uint64 `json:"stopped"`
	Faults    uint64 `json:"faults"`
	Skipped   uint64 `json:"skipped"`
	// FuelPerCall is the average, FuelLimit what one call may take.
	FuelPerCall uint64 `json:"fuel_per_call"`
	FuelLimit   int64  `json:"fuel_limit"`
	MemoryLimit int64  `json:"memory_limit_bytes"`
	Instances   int64  `json:"instances"`
	// CodeBytes is what its file's compiled code takes, once for all plugins in the
	// file. SnapshotBytes is what instances begin from and share as far as they do not
	// write, and InstanceBytes the memory that each then has.
	CodeBytes     int64 `json:"code_bytes,omitempty"`
	SnapshotBytes int64 `json:"snapshot_bytes,omitempty"`
	InstanceBytes int64 `json:"instance_bytes,omitempty"`
	KVEntries     int   `json:"kv_entries"`
	KVBytes       int   `json:"kv_bytes"`
}

// statusOf describes one file.
func statusOf(f *file, now time.Time) Status {
	s := Status{Name: f.plugin, File: f.name}
	if f.refused != "" {
		s.Refused = f.sentence()
	}
	if f.version == nil {
		s.State, s.Reason = Refused, s.Refused
		if f.disabled {
			s.State, s.Reason = Disabled, "[plugin."+f.plugin+"] enabled = false"
		}
		return s
	}
	r := f.version.record
	s.State, s.Reason = f.version.health.state(now)
	if s.Reason != "" {
		s.Reason = f.title() + ": " + s.Reason
	}
	s.Version = f.version.code.label.Version
	s.Digest = hex.EncodeToString(f.version.code.digest[:])
	s.Loaded = f.version.loaded
	s.On, s.Wants = f.version.sub.Patterns, f.version.sub.Wants
	permit := f.version.permit.Load()
	s.Grants, s.Topics = permit.Grants.Names(), permit.Topics
	s.Stock = f.version.code.stock
	s.GrantsFrom = f.from(f.settings.Grants != nil, f.version.granted.grants != nil)
	s.TopicsFrom = f.from(f.settings.Topics != nil, f.version.granted.topics != nil)
	s.AsksGrants = missing(f.version.sub.Grants, s.Grants)
	s.AsksTopics = missing(f.version.sub.Topics, s.Topics)
	t := r.totals()
	s.Calls, s.Skipped, s.Emissions, s.Dropped, s.Stopped = t.calls, t.skipped, t.emissions, t.dropped, t.stopped
	s.FuelPerCall = t.fuel / max(t.calls, 1)
	for _, n := range r.faults {
		s.Faults += n.Load()
	}
	s.FuelLimit, s.MemoryLimit = f.version.limits.Fuel, f.version.limits.Memory()
	s.Instances = r.instances.Load()
	s.CodeBytes = f.version.code.Bytes()
	if shot := f.version.snapshot; shot != nil {
		s.SnapshotBytes, s.InstanceBytes = shot.Bytes(), shot.Memory()
	}
	s.KVEntries, s.KVBytes, _ = r.store.Usage()
	return s
}

// from says where a grant comes from.
func (f *file) from(table, stock bool) string {
	switch {
	case table:
		return "[plugin." + f.plugin + "]"
	case stock:
		return "the stock set"
	}
	return ""
}

// missing are those of the wanted that are not had.
func missing(wanted, had []string) (lacking []string) {
	for _, each := range wanted {
		if !slices.Contains(had, each) && !slices.Contains(had, event.AnyTopic) {
			lacking = append(lacking, each)
		}
	}
	return lacking
}
