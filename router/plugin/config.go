package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/compile"
	"horizon-realtime/router/plugin/guest"
)

// Config is the table [plugins]: where the plugins are, and what each may use
// unless its own table says otherwise.
type Config struct {
	// Dir is the folder whose *.wasm files are loaded, in file-name order.
	Dir string `toml:"dir"`
	// Workers is how many notifications are handled at the same time; 0 means
	// one fewer than there are cores, but at least 1 and at most 4.
	Workers int `toml:"workers"`
	// CacheDir keeps compiled machine code between starts. Empty: the user's
	// cache directory; "none": nothing is kept.
	CacheDir string `toml:"cache_dir"`
	// CacheBytes bounds CacheDir; what was used longest ago goes first.
	CacheBytes int64 `toml:"cache_bytes"`
	// CompileMemory, CompileCPU and CompileTimeout bound the process that compiles a
	// file: its memory, its processor time in whole seconds, and how long it may take.
	CompileMemory  int64         `toml:"compile_memory"`
	CompileCPU     time.Duration `toml:"compile_cpu"`
	CompileTimeout time.Duration `toml:"compile_timeout"`
	// CompiledBytes bounds what a compiled file may take in the router, beside the
	// memory of its instances.
	CompiledBytes int64 `toml:"compiled_bytes"`
	// MaxPlugins bounds how many plugins are loaded.
	MaxPlugins int `toml:"max_plugins"`
	// MaxModuleBytes bounds the size of one file.
	MaxModuleBytes int64 `toml:"max_module_bytes"`
	// Settle is how long the folder must be quiet before it is read.
	Settle time.Duration `toml:"settle"`
	// Rescan is how often the folder is read anyway, as some file systems do not
	// report changes.
	Rescan time.Duration `toml:"rescan"`

	// Fuel bounds the work of one call; a million units take one or two
	// milliseconds at most. The default is well above the 16 million of a
	// garbage collection in a Go program.
	Fuel int64 `toml:"fuel"`
	// InitFuel bounds the work of starting an instance.
	InitFuel int64 `toml:"init_fuel"`
	// MemoryBytes bounds an instance's memory; whole pages of 64 KiB.
	MemoryBytes int64 `toml:"memory"`
	// EmissionsPerEvent bounds what one call may emit.
	EmissionsPerEvent int `toml:"emissions_per_event"`
	// EmissionsPerSecond bounds what a plugin may emit in a second beyond four
	// emissions per call, for all projects; the other for each project. An emission
	// counts once for each 4 KiB of its payload, begun or not. What is over is
	// counted and dropped.
	EmissionsPerSecond           int `toml:"emissions_per_second"`
	EmissionsPerSecondAndProject int `toml:"emissions_per_second_and_project"`
	// BytesPerEmission bounds one payload.
	BytesPerEmission int `toml:"bytes_per_emission"`
	// BytesPerEvent bounds a call's result block.
	BytesPerEvent int `toml:"bytes_per_event"`
	// HostCallsPerEvent bounds how often one call may call the host.
	HostCallsPerEvent int `toml:"host_calls_per_event"`
	// CallTimeout is how long a call may take before it is cut off; StartTimeout
	// is the same for a start.
	CallTimeout  time.Duration `toml:"call_timeout"`
	StartTimeout time.Duration `toml:"start_timeout"`
	// SlowPerSecond bounds how much time a plugin's calls, but for the first 250 µs
	// of each, may take in a second, of all workers together. What an instance takes
	// to start, or to forget another project, is part of the call.
	SlowPerSecond time.Duration `toml:"slow_per_second"`
	// LogLinesPerSecond and LogBytesPerSecond bound what a plugin writes to
	// the log; what is over is counted and dropped.
	LogLinesPerSecond int `toml:"log_lines_per_second"`
	LogBytesPerSecond int `toml:"log_bytes_per_second"`
	// KVEntries and KVBytes bound a plugin's store; what was written longest
	// ago makes room.
	KVEntries int `toml:"kv_entries"`
	KVBytes   int `toml:"kv_bytes"`
	// KVTTL is the longest time that an entry may live, and the default.
	KVTTL time.Duration `toml:"kv_ttl"`
	// KVKeep is how long the store of a plugin waits for its file to come back.
	KVKeep time.Duration `toml:"kv_keep"`

	// FaultLimit is how many faults of one project within FaultWindow pause a
	// plugin for that project, for as long as the window. If so many come together
	// of at least FaultProjects projects, the plugin is quarantined for all.
	FaultLimit    int           `toml:"fault_limit"`
	FaultProjects int           `toml:"fault_projects"`
	FaultWindow   time.Duration `toml:"fault_window"`
	// FaultPause is how long a plugin pauses for a project after the project's
	// second fault in a window; it doubles with each further one.
	FaultPause time.Duration `toml:"fault_pause"`

	// RequireSignature refuses a file without a valid `<file>.sig`: a detached
	// Ed25519 signature by one of PublicKeys, raw or in base64.
	RequireSignature bool     `toml:"require_signature"`
	PublicKeys       []string `toml:"public_keys"`

	// Stock returns the stock set that the program carries, which is loaded as if
	// it were in the folder as StockFile. It needs no signature, and has the grants
	// and topics that it asks for. Nil, or a func that returns nil, is for none.
	Stock func() []byte `toml:"-"`
}

// DefaultConfig has the values of keys that [plugins] leaves out.
func DefaultConfig() Config {
	return Config{
		Dir:            "plugins",
		CacheBytes:     512 << 20,
		CompileMemory:  512 << 20,
		CompileCPU:     30 * time.Second,
		CompileTimeout: time.Minute,
		CompiledBytes:  128 << 20,
		MaxPlugins:     256,
		MaxModuleBytes: 32 << 20,
		Settle:         250 * time.Millisecond,
		Rescan:         5 * time.Second,

		Fuel:               30_000_000,
		InitFuel:           200_000_000,
		MemoryBytes:        16 << 20,
		EmissionsPerEvent:  64,
		EmissionsPerSecond: 2000, EmissionsPerSecondAndProject: 500,
		BytesPerEmission:  64 << 10,
		BytesPerEvent:     256 << 10,
		HostCallsPerEvent: 1000,
		CallTimeout:       20 * time.Millisecond,
		StartTimeout:      time.Second,
		SlowPerSecond:     100 * time.Millisecond,
		LogLinesPerSecond: 20,
		LogBytesPerSecond: 16 << 10,
		KVEntries:         10_000,
		KVBytes:           4 << 20,
		KVTTL:             24 * time.Hour,
		KVKeep:            10 * time.Minute,

		FaultLimit:    5,
		FaultProjects: 3,
		FaultWindow:   time.Minute,
		FaultPause:    100 * time.Millisecond,
	}
}

// Settings is a table [plugin.<name>]. What it leaves out (or sets to 0) is taken
// from [plugins].
type Settings struct {
	Enabled     *bool `toml:"enabled"`
	Fuel        int64 `toml:"fuel"`
	MemoryBytes int64 `toml:"memory"`
	// SlowPerSecond overrides that of [plugins].
	SlowPerSecond time.Duration `toml:"slow_per_second"`
	// Grants are "admin" (emit to admin/ channels), "cross_project" (emit to
	// channels of others than the resource's owner) and "stop" (keep a notification
	// from later plugins).
	Grants []string `toml:"grants"`
	// Topics are those that the plugin may emit to, or "*" for all; by default the
	// one of its own name.
	Topics []string `toml:"topics"`
	// Config is handed to the plugin as JSON.
	Config map[string]any `toml:"config"`
}

// Validate checks [plugins].
//
// # Errors
//
// Every problem, joined, each with the key and the range.
func (c Config) Validate() error {
	var errs []error
	between := func(key string, v, low, high int64) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("[plugins] %s = %d: between %d and %d", key, v, low, high))
		}
	}
	lasting := func(key string, v, low, high time.Duration) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("[plugins] %s = %s: between %s and %s", key, v, low, high))
		}
	}
	if c.Dir == "" {
		errs = append(errs, errors.New(`[plugins] dir = "": name the folder that holds the .wasm files`))
	}
	between("workers", int64(c.Workers), 0, 256)
	between("cache_bytes", c.CacheBytes, 1<<20, 1<<40)
	between("compile_memory", c.CompileMemory, 32<<20, 1<<40)
	lasting("compile_cpu", c.CompileCPU, time.Second, time.Hour)
	lasting("compile_timeout", c.CompileTimeout, time.Second, time.Hour)
	between("compiled_bytes", c.CompiledBytes, 1<<20, 1<<40)
	between("max_plugins", int64(c.MaxPlugins), 1, 10_000)
	between("max_module_bytes", c.MaxModuleBytes, 1<<10, 1<<30)
	lasting("settle", c.Settle, time.Millisecond, time.Minute)
	lasting("rescan", c.Rescan, 10*time.Millisecond, time.Hour)
	between("fuel", c.Fuel, 1000, 1<<50)
	between("init_fuel", c.InitFuel, 1000, 1<<50)
	between("memory", c.MemoryBytes, guest.MinMemoryBytes, guest.MaxMemoryBytes)
	between("emissions_per_event", int64(c.EmissionsPerEvent), 1, 1<<16)
	between("emissions_per_second", int64(c.EmissionsPerSecond), 0, 1<<30)
	between("emissions_per_second_and_project", int64(c.EmissionsPerSecondAndProject), 0, 1<<30)
	between("bytes_per_emission", int64(c.BytesPerEmission), 64, 1<<24)
	between("bytes_per_event", int64(c.BytesPerEvent), 64, 1<<26)
	between("host_calls_per_event", int64(c.HostCallsPerEvent), 1, 1<<30)
	lasting("call_timeout", c.CallTimeout, time.Millisecond, time.Hour)
	lasting("start_timeout", c.StartTimeout, time.Millisecond, time.Hour)
	lasting("slow_per_second", c.SlowPerSecond, time.Millisecond, time.Hour)
	between("log_lines_per_second", int64(c.LogLinesPerSecond), 0, 1<<20)
	between("log_bytes_per_second", int64(c.LogBytesPerSecond), 0, 1<<30)
	between("kv_entries", int64(c.KVEntries), 0, 1<<24)
	between("kv_bytes", int64(c.KVBytes), 0, 1<<30)
	lasting("kv_ttl", c.KVTTL, time.Second, 10*365*24*time.Hour)
	lasting("kv_keep", c.KVKeep, 0, 10*365*24*time.Hour)
	between("fault_limit", int64(c.FaultLimit), 1, 1<<20)
	between("fault_projects", int64(c.FaultProjects), 1, 1<<20)
	lasting("fault_window", c.FaultWindow, time.Second, 24*time.Hour)
	lasting("fault_pause", c.FaultPause, time.Millisecond, time.Hour)
	if _, err := parseKeys(c.PublicKeys); err != nil {
		errs = append(errs, fmt.Errorf("[plugins] public_keys: %w", err))
	}
	if c.RequireSignature && len(c.PublicKeys) == 0 {
		errs = append(errs, errors.New("[plugins] require_signature = true needs at least one of public_keys"))
	}
	return errors.Join(errs...)
}

// ValidateSettings checks the [plugin.<name>] tables.
//
// # Errors
//
// Every problem, joined, each with the table and the key.
func ValidateSettings(settings map[string]Settings) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := settings[name]
		if !validName(name) {
			errs = append(errs, fmt.Errorf("[plugin.%s]: a plugin's name has 1 to %d characters of a-z 0-9 _ -", name, maxName))
		}
		if s.Fuel < 0 || s.Fuel > 1<<50 || s.Fuel > 0 && s.Fuel < 1000 {
			errs = append(errs, fmt.Errorf("[plugin.%s] fuel = %d: at least 1000, or 0 for the default", name, s.Fuel))
		}
		if s.MemoryBytes < 0 || s.MemoryBytes > guest.MaxMemoryBytes || s.MemoryBytes > 0 && s.MemoryBytes < guest.MinMemoryBytes {
			errs = append(errs, fmt.Errorf("[plugin.%s] memory = %d: between %d and %d, or 0 for the default", name, s.MemoryBytes, guest.MinMemoryBytes, int64(guest.MaxMemoryBytes)))
		}
		if s.SlowPerSecond < 0 || s.SlowPerSecond > time.Hour || s.SlowPerSecond > 0 && s.SlowPerSecond < time.Millisecond {
			errs = append(errs, fmt.Errorf("[plugin.%s] slow_per_second = %s: between %s and %s, or 0 for the default", name, s.SlowPerSecond, time.Millisecond, time.Hour))
		}
		if _, err := s.permit(name, asks{}); err != nil {
			errs = append(errs, fmt.Errorf("[plugin.%s] %w", name, err))
		}
		if _, err := configJSON(s.Config); err != nil {
			errs = append(errs, fmt.Errorf("[plugin.%s] config: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// permit is what the table allows the plugin of that name. What it leaves out is as
// in granted, which are the grants and topics that the plugin has without a table.
func (s Settings) permit(name string, granted asks) (*event.Permit, error) {
	names := s.Grants
	if names == nil {
		names = granted.grants
	}
	grants, err := event.ParseGrants(names)
	if err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	topics := s.Topics
	if topics == nil {
		topics = granted.topics
	}
	for _, topic := range topics {
		if _, err := event.ParseChannel("public/" + topic); err != nil && topic != event.AnyTopic {
			return nil, fmt.Errorf(`topics: %q is no topic; use 1 to 64 characters of a-z 0-9 _ -, or "*" for all`, topic)
		}
	}
	if topics == nil {
		topics = []string{name}
	}
	return &event.Permit{Grants: grants, Topics: topics}, nil
}

// disabled reports whether the table switches its plugin, or its bundle, off.
func (s Settings) disabled() bool { return s.Enabled != nil && !*s.Enabled }

// configJSON is the text that the import `config` hands out.
func configJSON(config map[string]any) ([]byte, error) {
	if len(config) == 0 {
		return []byte("{}"), nil
	}
	return json.Marshal(config)
}

// workers resolves Workers.
func (c Config) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return min(max(runtime.GOMAXPROCS(0)-1, 1), 4)
}

func (c Config) compileLimits() compile.Limits {
	return compile.Limits{Memory: c.CompileMemory, CPU: c.CompileCPU, Time: c.CompileTimeout, Loaded: c.CompiledBytes}
}

// limitsFor is what one plugin may use, resolved from both tables.
func (c Config) limitsFor(s Settings) guest.Limits {
	l := guest.Limits{
		ModuleBytes: int(c.MaxModuleBytes),
		Fuel:        c.Fuel, InitFuel: c.InitFuel,
		MemoryBytes: c.MemoryBytes,
		Emissions:   c.EmissionsPerEvent, EmissionBytes: c.BytesPerEmission, ResultBytes: c.BytesPerEvent,
		HostCalls:    c.HostCallsPerEvent,
		StartTimeout: c.StartTimeout,
		CallTimeout:  c.CallTimeout,
	}
	if s.Fuel > 0 {
		l.Fuel = s.Fuel
	}
	if s.MemoryBytes > 0 {
		l.MemoryBytes = s.MemoryBytes
	}
	return l
}
