package plugin

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// A plugin that takes much time in every call fails once it has taken more than
// it may, and is quarantined if it goes on; one that takes little is not blamed
// for what others take, and one that waits a while is forgiven.
func TestSlowPluginsFail(t *testing.T) {
	c := testConfig(t)
	c.SlowPerSecond, c.FaultProjects = 25*time.Millisecond, 1
	h, log := loggingHost(t, c, map[string]Settings{"patient": {SlowPerSecond: time.Hour}},
		"10-busy.wasm", guesttest.Saying("1"), "20-light.wasm", guesttest.Saying("1"), "30-patient.wasm", guesttest.Saying("1"))
	now := guesttest.At
	h.now = func() time.Time { return now }
	w := testRunner(t, h)
	n := guesttest.Notification(t, "compute.x", "{}")
	bill := func(took time.Duration) {
		w.Handle(context.Background(), n, func(Emission) {})
		w.bill(context.Background(), 0, n, took, true, false)
		w.bill(context.Background(), 2, n, took, true, false)
	}
	faults := func() [3]uint64 {
		s := h.Status()
		return [3]uint64{s[0].Faults, s[1].Faults, s[2].Faults}
	}
	for range 2 {
		for range 2 {
			bill(10 * time.Millisecond)
		}
		if got := faults(); got != [3]uint64{} {
			t.Fatalf("faults after 20 of 25 ms: %v", got)
		}
		now = now.Add(time.Second)
	}
	now = now.Add(-time.Second)
	w.bill(context.Background(), 0, n, 10*time.Millisecond, true, true)
	if got := faults(); got != [3]uint64{} {
		t.Fatalf("a call that failed anyway has failed twice: %v", got)
	}
	bill(10 * time.Millisecond)
	if got := faults(); got != [3]uint64{1} {
		t.Fatalf("faults after 30 of 25 ms: %v", got)
	}
	for range 4 {
		now = now.Add(h.cfg.FaultWindow / 50)
		bill(20 * time.Millisecond)
		bill(20 * time.Millisecond)
	}
	const want = "plugin 10-busy.wasm: 5 faults of 1 project within 1m0s; the last: its calls took more than 25ms in a second; do less, or raise [plugin.busy] slow_per_second; replace the file or release it"
	s := h.Status()
	if diff := cmp.Diff([]any{Quarantined, want, [3]uint64{5}}, []any{s[0].State, s[0].Reason, faults()}); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say so:\n%s", log)
	}
}

// Whatever a plugin spends its time on is counted: the work of its call, however
// little fuel that took, and the making of an instance for another project.
func TestAllTimeIsBilled(t *testing.T) {
	const turns = `(loop $again
      (global.set $x (i64.div_u (i64.const -1) (i64.or (global.get $x) (i64.const 3))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 300000))))`
	starting := strings.Replace(guesttest.Doing("(drop (table.grow $t (ref.null func) (i32.const 0))) (i64.const 0)"),
		`(func (export "hr_init") (result i64)`, `(table $t 1 10 funcref) (func (export "hr_init") (result i64) (local $i i32) `+turns, 1)
	for name, c := range map[string]struct {
		text  string
		calls int
	}{
		"few units in a call":      {guesttest.Doing(turns + "(i64.const 0)"), 1},
		"a start for each project": {starting, 2},
		"cheap calls":              {guesttest.Saying("1"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(t)
			config.SlowPerSecond = time.Hour
			h := testHost(t, config, nil, "10-x.wasm", c.text)
			r := testRunner(t, h)
			health := h.current.load().versions[0].health
			for i := range 2 {
				n := guesttest.Notification(t, "compute.x", "{}")
				n.Project = fmt.Sprint(i)
				if o := r.HandleInTime(context.Background(), n, time.Hour, func(Emission) {}); o.Called != 1 {
					t.Fatalf("got %+v, %+v", o, h.Status())
				}
			}
			billed := health.taken > 0
			if want := c.calls > 0; billed != want && (want || health.taken < time.Second) {
				t.Errorf("billed is %t (%s)", billed, health.taken)
			}
		})
	}
}

// A call is measured exactly once the plugin has taken half of its time, and then
// fails the plugin.
func TestSlowCallsFailOnceTheyAreMeasuredExactly(t *testing.T) {
	c := testConfig(t)
	c.SlowPerSecond = time.Millisecond
	h := testHost(t, c, nil, "10-busy.wasm", guesttest.Busy())
	h.now = func() time.Time { return guesttest.At }
	r := testRunner(t, h)
	var faults []uint64
	for range 2 {
		r.HandleInTime(context.Background(), guesttest.Notification(t, "compute.x", "{}"), time.Hour, func(Emission) {})
		faults = append(faults, h.Status()[0].Faults)
	}
	if diff := cmp.Diff([]uint64{0, 1}, faults); diff != "" {
		t.Error(diff)
	}
}

// What those who hear of it take is no plugin's time.
func TestEmittingIsNotBilled(t *testing.T) {
	w := &stopwatch{}
	h := testHealth(5, 3)
	w.start(h)
	w.stop()
	w.paused = true
	w.now -= time.Hour
	deadline := w.deadline
	if w.late() || w.deadline < deadline+time.Hour {
		t.Errorf("an hour of emitting moved the deadline by %s", w.deadline-deadline)
	}
	w.start(h)
	if took, _ := w.stop(); took >= time.Hour {
		t.Errorf("a call took %s", took)
	}
}

// The beginning of a call costs nothing, so that a plugin may make as many calls as
// the router has time for.
func TestTheBeginningOfACallIsFree(t *testing.T) {
	now := time.Since(epoch)
	w := &stopwatch{now: now - time.Second}
	took, _ := w.stop()
	if lasted := time.Since(epoch) - now + time.Second; took > lasted-freeTime || took < time.Second-freeTime {
		t.Errorf("a call of %s is billed as %s", lasted, took)
	}
}
