package plugin

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
)

// A plugin that takes much time in every call fails once it has taken more than
// it may, and is quarantined if it goes on; one that takes little is not blamed
// for what the machine does, and one that waits a while is forgiven.
func TestSlowPluginsFail(t *testing.T) {
	c := testConfig(t)
	c.SlowPerSecond, c.FaultProjects = 25*time.Millisecond, 1
	h, log := loggingHost(t, c, map[string]Settings{"patient": {SlowPerSecond: time.Hour}},
		"10-busy.wasm", guesttest.Busy(), "20-light.wasm", guesttest.Saying("1"), "30-patient.wasm", guesttest.Busy())
	now := guesttest.At
	h.now = func() time.Time { return now }
	w := testRunner(t, h)
	n := guesttest.Notification(t, "compute.x", "{}")
	handle := func(took time.Duration) {
		w.Handle(context.Background(), n, func(Emission) {})
		w.bill(context.Background(), n, took)
	}
	faults := func() [3]uint64 {
		s := h.Status()
		return [3]uint64{s[0].Faults, s[1].Faults, s[2].Faults}
	}
	w.Handle(context.Background(), n, func(Emission) {})
	if used := w.instances[0].Spent(); used < guest.SlowFuel || used > 25_000_000 {
		t.Fatalf("a call took %d units", used)
	}
	w.bill(context.Background(), n, time.Nanosecond)
	for range 2 {
		handle(20 * time.Millisecond) // half of it each
	}
	if got := faults(); got != [3]uint64{} {
		t.Fatalf("faults after 20 of 25 ms: %v", got)
	}
	now = now.Add(time.Second)
	for range 2 {
		handle(20 * time.Millisecond)
	}
	if got := faults(); got != [3]uint64{} {
		t.Fatalf("a second later, faults after 20 of 25 ms: %v", got)
	}
	handle(20 * time.Millisecond)
	if got := faults(); got != [3]uint64{1} {
		t.Fatalf("faults after 30 of 25 ms: %v", got)
	}
	for range 20 {
		now = now.Add(h.cfg.FaultWindow / 50)
		handle(time.Minute) // more than it can have been: it counts for what its fuel can take
		handle(time.Minute)
		handle(time.Minute)
	}
	const want = "plugin 10-busy.wasm: 5 faults of 1 project within 1m0s; the last: its slow calls took more than 25ms in a second; do less, or raise [plugin.busy] slow_per_second; replace the file or release it"
	s := h.Status()
	if diff := cmp.Diff([]any{Quarantined, want, [3]uint64{5}}, []any{s[0].State, s[0].Reason, faults()}); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say so:\n%s", log)
	}
	w.Close()
	w.bill(context.Background(), n, time.Minute)
}

func TestHandleInTimeBillsSlowCalls(t *testing.T) {
	c := testConfig(t)
	c.SlowPerSecond = time.Millisecond
	h := testHost(t, c, nil, "10-busy.wasm", guesttest.Busy())
	w := testRunner(t, h)
	w.HandleInTime(context.Background(), guesttest.Notification(t, "compute.x", "{}"), later(), func(Emission) {})
	if n := h.Status()[0].Faults; n != 1 {
		t.Errorf("%d faults of a plugin that took more than its millisecond", n)
	}
}
