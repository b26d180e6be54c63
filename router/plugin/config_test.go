package plugin

import (
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"horizon-realtime/router/plugin/guest/guesttest"
)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateRefusals(t *testing.T) {
	for want, change := range map[string]func(*Config){
		`[plugins] dir = "": name the folder that holds the .wasm files`:       func(c *Config) { c.Dir = "" },
		"[plugins] call_timeout = 0s: between 1ms and 1h0m0s":                  func(c *Config) { c.CallTimeout = 0 },
		"[plugins] start_timeout = 0s: between 1ms and 1h0m0s":                 func(c *Config) { c.StartTimeout = 0 },
		"[plugins] slow_per_second = 1µs: between 1ms and 1h0m0s":              func(c *Config) { c.SlowPerSecond = time.Microsecond },
		"[plugins] memory = 1: between 65536 and 4294901760":                   func(c *Config) { c.MemoryBytes = 1 },
		"[plugins] settle = 0s: between 1ms and 1m0s":                          func(c *Config) { c.Settle = 0 },
		"[plugins] require_signature = true needs at least one of public_keys": func(c *Config) { c.RequireSignature = true },
		"[plugins] public_keys: key 1: it is neither base64 nor PEM":           func(c *Config) { c.PublicKeys = []string{"?"} },
		"[plugins] fault_limit = 0: between 1 and 1048576":                     func(c *Config) { c.FaultLimit = 0 },
		"[plugins] host_calls_per_event = -1: between 1 and 1073741824":        func(c *Config) { c.HostCallsPerEvent = -1 },
		"[plugins] bytes_per_event = 2147483647: between 64 and 67108864":      func(c *Config) { c.BytesPerEvent = math.MaxInt32 },
		"[plugins] kv_keep = -1s: between 0s and 87600h0m0s":                   func(c *Config) { c.KVKeep = -time.Second },
		"[plugins] kv_ttl = 1ns: between 1s and 87600h0m0s":                    func(c *Config) { c.KVTTL = time.Nanosecond },
		"[plugins] max_module_bytes = 1: between 1024 and 1073741824":          func(c *Config) { c.MaxModuleBytes = 1 },
		"[plugins] rescan = 1ms: between 10ms and 1h0m0s":                      func(c *Config) { c.Rescan = time.Millisecond },
		"[plugins] log_lines_per_second = -1: between 0 and 1048576":           func(c *Config) { c.LogLinesPerSecond = -1 },
		"[plugins] emissions_per_event = 0: between 1 and 65536":               func(c *Config) { c.EmissionsPerEvent = 0 },
		"[plugins] workers = 1000: between 0 and 256":                          func(c *Config) { c.Workers = 1000 },
		"[plugins] init_fuel = 5: between 1000 and 1125899906842624":           func(c *Config) { c.InitFuel = 5 },
		"[plugins] cache_bytes = 5: between 1048576 and 1099511627776":         func(c *Config) { c.CacheBytes = 5 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for want, s := range map[string]Settings{
		"[plugin.x] fuel = 10: at least 1000, or 0 for the default":                                   {Fuel: 10},
		"[plugin.x] slow_per_second = 1ns: between 1ms and 1h0m0s, or 0 for the default":              {SlowPerSecond: 1},
		"[plugin.x] memory = 7: between 65536 and 4294901760, or 0 for the default":                   {MemoryBytes: 7},
		`[plugin.x] grants: unknown grant "root"; there are admin, cross_project, shared, stop`:       {Grants: []string{"admin", "root"}},
		"[plugin.x] config: json: unsupported value: NaN":                                             {Config: map[string]any{"a": math.NaN()}},
		`[plugin.x] topics: "a/b" is no topic; use 1 to 64 characters of a-z 0-9 _ -, or "*" for all`: {Topics: []string{"ports", "*", "a/b"}},
	} {
		if err := ValidateSettings(map[string]Settings{"x": s}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPluginName(t *testing.T) {
	for file, want := range map[string]string{
		"50-nova.wasm": "nova", "nova.wasm": "nova", "5-a-b.wasm": "a-b", "x5-a.wasm": "x5-a", "-a.wasm": "-a", "50.wasm": "50",
	} {
		if got := pluginName(file); got != want {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func TestMetricsTellHowPluginsFare(t *testing.T) {
	c := testConfig(t)
	c.FaultLimit, c.FaultProjects = 1, 1
	h := newTestHost(t, c, nil, slog.New(slog.DiscardHandler))
	h.install(t, "10-bad.wasm", trapping, "20-good.wasm", guesttest.Saying("1"), "30-none.wasm", []byte("x"))
	w := testRunner(t, h)
	for range 3 {
		payloads(t, w)
	}
	want := `
# HELP horizon_realtime_plugin_calls_total Notifications that the plugin was called with and returned from.
# TYPE horizon_realtime_plugin_calls_total counter
horizon_realtime_plugin_calls_total{plugin="bad"} 0
horizon_realtime_plugin_calls_total{plugin="good"} 3
# HELP horizon_realtime_plugin_emissions_total Emissions of the plugin, before anybody judged their channels.
# TYPE horizon_realtime_plugin_emissions_total counter
horizon_realtime_plugin_emissions_total{plugin="bad"} 0
horizon_realtime_plugin_emissions_total{plugin="good"} 3
# HELP horizon_realtime_plugin_skipped_total Notifications it asked for but did not see, as it was paused for their project or quarantined.
# TYPE horizon_realtime_plugin_skipped_total counter
horizon_realtime_plugin_skipped_total{plugin="bad"} 2
horizon_realtime_plugin_skipped_total{plugin="good"} 0
# HELP horizon_realtime_plugin_state 1 for the state that the plugin is in.
# TYPE horizon_realtime_plugin_state gauge
horizon_realtime_plugin_state{plugin="bad",state="quarantined"} 1
horizon_realtime_plugin_state{plugin="good",state="running"} 1
horizon_realtime_plugin_state{plugin="none",state="refused"} 1
`
	if err := testutil.CollectAndCompare(newCollector(h.current, h.now), strings.NewReader(want),
		"horizon_realtime_plugin_calls_total", "horizon_realtime_plugin_emissions_total",
		"horizon_realtime_plugin_skipped_total", "horizon_realtime_plugin_state"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(newCollector(h.current, h.now)); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
