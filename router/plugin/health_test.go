package plugin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
)

func testHealth(limit, projects int) *health {
	return newHealth(Config{FaultLimit: limit, FaultProjects: projects, FaultWindow: time.Minute, FaultPause: time.Second, SlowPerSecond: time.Second})
}

var aFault = guest.Faultf(guest.Trap, "hr_event trapped: unreachable")

// One project's faults are forgiven, then pause the plugin for the project, and
// never for another.
func TestHealthPausesForOneProject(t *testing.T) {
	h := testHealth(4, 2)
	now := guesttest.At
	clock := func() time.Time { return now }
	var pauses []time.Duration
	for range 10 {
		after := h.fault(aFault, "mallory", now)
		if after.quarantined || !h.allows("alice", clock) || !h.allows("", clock) {
			t.Fatalf("another project pays for it: %+v", after)
		}
		pauses = append(pauses, after.pause)
		if allowed := h.allows("mallory", clock); allowed != (after.pause == 0) {
			t.Errorf("after %d faults: allowed is %t", len(pauses), allowed)
		}
		if state, reason := h.state(now); after.pause == time.Minute && (state != Paused ||
			!strings.HasPrefix(reason, `hr_event trapped: unreachable; paused for project "mallory" until 2026-11-23T10:0`)) {
			t.Errorf("%s: %s", state, reason)
		}
		now = now.Add(after.pause)
		if !h.allows("mallory", clock) {
			t.Errorf("still paused after %s", after.pause)
		}
	}
	const s = time.Second
	if diff := cmp.Diff([]time.Duration{0, s, 2 * s, 60 * s, 0, s, 2 * s, 60 * s, 0, s}, pauses); diff != "" {
		t.Error(diff)
	}
	if state, _ := h.state(now.Add(time.Hour)); state != Running {
		t.Errorf("%s in the end", state)
	}
}

// Faults of several projects are the plugin's.
func TestHealthQuarantinesForSeveralProjects(t *testing.T) {
	h := testHealth(5, 3)
	now := guesttest.At
	clock := func() time.Time { return now }
	var got []bool
	for _, project := range []string{"a", "b", "a", "b", "a", "c"} {
		got = append(got, h.fault(aFault, project, now).quarantined)
	}
	if diff := cmp.Diff([]bool{false, false, false, false, false, true}, got); diff != "" {
		t.Error(diff)
	}
	state, reason := h.state(now.Add(time.Hour))
	if state != Quarantined || reason != "6 faults of 3 projects within 1m0s; the last: hr_event trapped: unreachable; replace the file or release it" {
		t.Errorf("%s: %s", state, reason)
	}
	if h.allows("d", clock) || !h.quarantined() {
		t.Error("it is called all the same")
	}
	if again := h.fault(aFault, "d", now); again.quarantined || len(h.troubles) != 3 {
		t.Error("a quarantine happens once")
	}
	h.release()
	if state, reason := h.state(now); state != Running || reason != "" || !h.allows("a", clock) {
		t.Errorf("after a release: %s: %s", state, reason)
	}
}

func TestHealthForgetsOldFaults(t *testing.T) {
	h := testHealth(2, 2)
	for i := range 100 {
		project := string(rune('a' + i%26))
		if after := h.fault(aFault, project, guesttest.At.Add(time.Duration(i)*time.Minute)); after != (sentence{}) {
			t.Fatalf("fault %d: %+v", i, after)
		}
		if len(h.troubles) > 1 {
			t.Fatalf("%d projects are remembered", len(h.troubles))
		}
	}
}

// Who overdraws the time is the project whose calls took most of it, not whose
// call was the last.
func TestHealthBillsTheProjectThatTookMost(t *testing.T) {
	h := testHealth(5, 3)
	now := guesttest.At
	for i, c := range []struct {
		took    time.Duration
		project string
		want    string
	}{
		{100 * time.Millisecond, "alice", ""}, {800 * time.Millisecond, "mallory", ""}, {200 * time.Millisecond, "alice", "mallory"},
		{time.Millisecond, "alice", "mallory"}, {time.Millisecond, "alice", "mallory"}, {time.Millisecond, "alice", "alice"},
	} {
		if got, over := h.overdrawn(c.took, true, c.project, now); got != c.want || over != (c.want != "") {
			t.Errorf("%d: %q, %t", i, got, over)
		}
	}
	if got, over := h.overdrawn(time.Millisecond, true, "alice", now.Add(time.Minute)); over || len(h.takenFor) != 1 {
		t.Errorf("a minute later %q has overdrawn, of %v", got, h.takenFor)
	}
	for i := range 3 * maxTakenFor {
		h.overdrawn(1, true, fmt.Sprint(i), now.Add(time.Minute))
	}
	if len(h.takenFor) > maxTakenFor {
		t.Errorf("%d projects are remembered", len(h.takenFor))
	}
}

// What the clock says counts for half of what a plugin may take. The rest is for
// time that was exact.
func TestHealthNeedsExactTimeToFailAPlugin(t *testing.T) {
	h := testHealth(5, 3)
	now := guesttest.At
	bill := func(took time.Duration, exact bool) bool {
		_, over := h.overdrawn(took, exact, "p", now)
		return over
	}
	if bill(h.slow/2-1, false) || h.exact.Load() {
		t.Fatal("less than half of the time is half")
	}
	for range 10 {
		if bill(time.Minute, false) {
			t.Fatal("a busy machine fails a plugin")
		}
	}
	if !h.exact.Load() {
		t.Fatal("more than half of the time is not measured exactly")
	}
	if bill(h.slow/2, true) || !bill(1, true) {
		t.Error("it may take what is left, and no more")
	}
	now = now.Add(time.Second)
	if bill(0, true) || h.exact.Load() {
		t.Error("a second later nothing is forgiven")
	}
}

// A plugin that fails is paused and quarantined; its neighbours notice nothing,
// and a new file or a release brings it back.
func TestQuarantineEndsWithANewFileOrARelease(t *testing.T) {
	c := testConfig(t)
	c.FaultWindow = time.Hour
	h, log := loggingHost(t, c, nil, "10-bad.wasm", trapping, "20-good.wasm", guesttest.Saying("1"))
	h.now = func() time.Time { return guesttest.At }
	w := testRunner(t, h)
	want := []Outcome{
		{Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1},
		{Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Faults: 1}, {Called: 1, Emitted: 1, Skipped: 1},
	}
	quarantine := func() {
		t.Helper()
		var got []Outcome
		for i := range want {
			n := guesttest.Notification(t, "compute.x", "{}")
			n.Project = string(rune('a' + i))
			emitted, o := gather(w, n)
			if diff := cmp.Diff([]string{"good: public/a||1"}, emitted); diff != "" {
				t.Error(diff)
			}
			got = append(got, o)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if s := h.Status()[0]; s.State != Quarantined || s.Reason != "plugin 10-bad.wasm: 5 faults of 5 projects within 1h0m0s; the last: hr_event trapped: unreachable; replace the file or release it" {
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

// What one project's notifications do to a plugin is no other project's loss.
func TestFaultsOfOneProjectAreItsOwn(t *testing.T) {
	// It traps if the notification has a member "bad".
	picky := strings.NewReplacer(`on compute.*\0a`, `on compute.*\0awant /bad\0a`, "(i32.const 13)", "(i32.const 23)").Replace(
		guesttest.Doing("(if (i32.load (i32.const 4180)) (then unreachable)) (i64.const 0)")) // the entry's word
	h := testHost(t, testConfig(t), nil, "10-picky.wasm", picky)
	h.now = func() time.Time { return guesttest.At }
	w := testRunner(t, h)
	handle := func(project, text string) Outcome {
		n := guesttest.Notification(t, "compute.x", text)
		n.Project = project
		_, o := gather(w, n)
		return o
	}
	for range 5 {
		handle("mallory", `{"bad": 1}`)
		if o := handle("alice", "{}"); o != (Outcome{Called: 1}) {
			t.Fatalf("alice gets %+v", o)
		}
	}
	if o := handle("mallory", "{}"); o != (Outcome{Skipped: 1}) {
		t.Errorf("mallory gets %+v", o)
	}
	if s := h.Status()[0]; s.State != Paused || s.Faults != 2 {
		t.Errorf("got %+v", s)
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
