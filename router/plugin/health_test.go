package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
)

func TestHealthForgivesThenPausesThenQuarantines(t *testing.T) {
	h := newHealth(Config{FaultLimit: 4, FaultWindow: time.Minute, FaultPause: time.Second})
	now := guesttest.At
	clock := func() time.Time { return now }
	fault := guest.Faultf(guest.Trap, "hr_event trapped: unreachable")
	type step struct {
		quarantined bool
		pause       time.Duration
		allowed     bool
	}
	var got []step
	for range 4 {
		quarantined, pause := h.fault(fault, now)
		got = append(got, step{quarantined, pause, h.allows(clock)})
		now = now.Add(pause)
		if !quarantined && !h.allows(clock) {
			t.Errorf("still paused after %s", pause)
		}
	}
	want := []step{{false, 0, true}, {false, time.Second, false}, {false, 2 * time.Second, false}, {true, 0, false}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Error(diff)
	}
	state, reason := h.state(now.Add(time.Hour))
	if state != Quarantined || reason != "4 faults within 1m0s; the last: hr_event trapped: unreachable; replace the file or release it" {
		t.Errorf("%s: %s", state, reason)
	}
	if again, _ := h.fault(fault, now); again || len(h.recent) != 4 {
		t.Error("a quarantine happens once")
	}
	h.release()
	if state, reason := h.state(now); state != Running || reason != "" || !h.allows(clock) {
		t.Errorf("after a release: %s: %s", state, reason)
	}
}

func TestHealthForgetsOldFaults(t *testing.T) {
	h := newHealth(Config{FaultLimit: 2, FaultWindow: time.Minute, FaultPause: time.Second})
	for i := range 10 {
		if quarantined, pause := h.fault(guest.Faultf(guest.Trap, "x"), guesttest.At.Add(time.Duration(i)*time.Minute)); quarantined || pause != 0 {
			t.Fatalf("fault %d: %v, %s", i, quarantined, pause)
		}
	}
}

// A plugin that fails is paused and quarantined; its neighbours notice nothing,
// and a new file or a release brings it back.
func TestQuarantineEndsWithANewFileOrARelease(t *testing.T) {
	c := testConfig(t)
	c.FaultWindow = time.Hour
	h, log := loggingHost(t, c, nil, "10-bad.wasm", trapping, "20-good.wasm", guesttest.Saying("1"))
	now := guesttest.At
	h.now = func() time.Time { now = now.Add(11 * time.Second); return now }
	w := testRunner(t, h)
	want := []Outcome{
		{Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1},
		{Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Skipped: 1},
	}
	quarantine := func() {
		t.Helper()
		var got []Outcome
		for range want {
			emitted, o := gather(w, guesttest.Notification(t, "compute.x", "{}"))
			if diff := cmp.Diff([]string{"good: public/a||1"}, emitted); diff != "" {
				t.Error(diff)
			}
			got = append(got, o)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if s := h.Status()[0]; s.State != Quarantined || s.Reason != "plugin 10-bad.wasm: 5 faults within 1h0m0s; the last: hr_event trapped: unreachable; replace the file or release it" {
			t.Errorf("%s: %s", s.State, s.Reason)
		}
	}
	quarantine()
	second := testRunner(t, h)
	second.instances[0], _ = h.current.load().versions[0].take()
	second.Idle()
	if second.instances[0] != nil {
		t.Error("an instance of a plugin in quarantine is kept")
	}
	if !strings.Contains(log.String(), `msg="quarantined a plugin" plugin=bad`) {
		t.Errorf("the log does not say so:\n%s", log)
	}
	if err := h.Release("bad"); err != nil {
		t.Fatal(err)
	}
	quarantine()
	install(t, c.Dir, "10-bad.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	reload(t, h)
	if got := payloads(t, w); got != "bad: public/a||2 good: public/a||1" {
		t.Error(got)
	}
	if err := h.Release("nobody"); err == nil || err.Error() != `no plugin "nobody" is loaded` {
		t.Errorf("got %v", err)
	}
}

// trapping asks for everything of compute, and traps.
var trapping = guesttest.Doing("unreachable")

func TestInstanceIsNeverUsedAgainAfterAFault(t *testing.T) {
	// It counts in a global, and traps at the third call of each instance.
	counting := guesttest.Doing(`
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (if (i32.ge_u (global.get $n) (i32.const 3)) (then unreachable))
    (i64.const 0)`)
	c := testConfig(t)
	c.FaultLimit = 100
	h := testHost(t, c, nil, "10-counting.wasm", counting)
	now := guesttest.At
	h.now = func() time.Time { now = now.Add(time.Hour); return now }
	w := testRunner(t, h)
	faults := ""
	for range 9 {
		_, o := gather(w, guesttest.Notification(t, "compute.x", "{}"))
		faults += string(rune('0' + o.Faults))
	}
	if faults != "001001001" {
		t.Errorf("faults at %s", faults)
	}
	if n := h.records.byName["counting"].instances.Load(); n != 0 {
		t.Errorf("%d instances are left", n)
	}
}

func TestGrownInstancesAreReplacedWhenIdle(t *testing.T) {
	growing := guesttest.Doing(`(drop (memory.grow (i32.const 60))) (i64.const 0)`)
	c := testConfig(t)
	h := testHost(t, c, map[string]Settings{"growing": {MemoryBytes: 128 * (64 << 10)}}, "10-growing.wasm", growing)
	now := guesttest.At
	h.now = func() time.Time { return now }
	w := testRunner(t, h)
	var kept []bool
	for i := range 6 {
		if i != 2 && i != 3 { // these are too soon after a renewal
			now = now.Add(renewEvery)
		}
		if _, o := gather(w, guesttest.Notification(t, "compute.x", "{}")); o.Called != 1 {
			t.Fatalf("got %+v", o)
		}
		w.Idle()
		kept = append(kept, w.instances[0] != nil)
	}
	// It grows by less than half, by more than half, and again from the start.
	if diff := cmp.Diff([]bool{true, false, true, true, false, true}, kept); diff != "" {
		t.Error(diff)
	}
	if n := h.records.byName["growing"].renewals.Load(); n != 2 {
		t.Errorf("%d renewals", n)
	}
}
