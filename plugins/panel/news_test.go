package panel

import (
	"testing"

	"horizon-realtime/sdk"
	"horizon-realtime/sdk/sdktest"
)

// The plugin of this package's tests. What it does is up to the test that runs.
var (
	field = sdk.Want("/payload/field")
	do    func(e *Event)
)

func init() { Register(Plugin{On: []string{"*"}, Handle: func(e *Event) { do(e) }}) }

// send hands the plugin a notification, and reports whether it was called.
func send(t *testing.T, event, priority, payload string, handle func(e *Event)) (a sdktest.Answer, called bool) {
	t.Helper()
	do = func(e *Event) {
		called = true
		handle(e)
	}
	a = sdktest.Start(t, "").Send(sdktest.Notification{Project: "p1", Message: []byte(`{"message_id":"m1","event_type":"` + event + `",
		"priority":"` + priority + `","timestamp":"2026-11-23 10:00:00.000000","payload":` + payload + `}`)})
	return a, called
}

func TestNews(t *testing.T) {
	for _, c := range []struct {
		event, priority, payload string
		news                     bool
	}{
		{"volume.create.end", "INFO", `{}`, true},
		{"volume.create.end", "INFO", `{"audit_period_beginning":"2026-11-30 09:55:00"}`, false},
		{"snapshot.delete.end", "INFO", `{"audit_period_beginning":"2026-11-30 09:55:00"}`, false},
		{"backup.create.start", "INFO", `{"audit_period_beginning":""}`, false},
		{"compute.instance.update", "INFO", `{"audit_period_beginning":"2026-11-30 09:00:00"}`, true},
		{"compute.instance.exists", "INFO", `{}`, false},
		{"trove.instance.exists", "INFO", `{}`, false},
		{"dns.zone.exists", "INFO", `{}`, false},
		{"volume.usage", "INFO", `{}`, false},
		{"share.create.end", "INFO", `{}`, true},
		{"share.consumed.size", "INFO", `{}`, false},
		{"l3.meter", "INFO", `{}`, false},
		{"l3.meter.label", "INFO", `{}`, false},
		{"hardware.ipmi.metrics", "INFO", `{}`, false},
		{"capacity.pool", "INFO", `{}`, false},
		{"metrics.update", "INFO", `{}`, false},
		{"compute.metrics.update", "INFO", `{}`, false},
		{"telemetry.polling", "SAMPLE", `{}`, false},
		{"anything.at.all", "SAMPLE", `{}`, false},
		{"objectstore.http.request", "INFO", `{}`, false},
		{"audit.http.request", "INFO", `{"action":"create"}`, false},
		{"audit.http.response", "INFO", `{"action":"create"}`, true},
		{"audit.http.response", "INFO", `{"action":"update/os-start"}`, true},
		{"audit.http.response", "INFO", `{"action":"read"}`, false},
		{"audit.http.response", "INFO", `{"action":"read/list"}`, false},
		{"audit.http.response", "INFO", `{}`, false},
		{"image_volume_cache.hit", "INFO", `{}`, false},
		{"image_volume_cache.evict", "INFO", `{}`, true},
		{"qos_specs.associations", "INFO", `{}`, false},
		{"qos_specs.associate", "INFO", `{}`, true},
		{"exists", "INFO", `{}`, true},
	} {
		if _, got := send(t, c.event, c.priority, c.payload, func(*Event) {}); got != c.news {
			t.Errorf("%s %s %s: news %t, want %t", c.event, c.priority, c.payload, got, c.news)
		}
	}
}
