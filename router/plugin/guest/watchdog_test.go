package guest

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/router/testwait"
)

// ponder is a loop whose turns take long for what they cost: each of its
// divisions waits for the one before.
var ponder = `(loop $again ` + strings.Repeat(`(global.set $x (i64.div_u (i64.const -1) (i64.or (global.get $x) (i64.const 3))))`, 50) + ` (br $again))`

// uncollected keeps Go's collector away: while it waits for a call, nobody is
// there to cut that off, and only fuel ends it.
func uncollected(t *testing.T) {
	runtime.GC()
	before := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(before) })
}

func TestLateCallsAreCutOff(t *testing.T) {
	uncollected(t)
	m := compile(t, guesttest.Assemble(t, guesttest.Doing(ponder+"(i64.const 0)")), func(l *Limits) { l.Fuel = 1 << 33 })
	env, _ := testEnv("x")
	in := start(t, m, env)
	w := NewWatchdog(time.Millisecond)
	in.SetWatchdog(w)
	w.Begin()
	defer w.End()
	f := in.Handle(guesttest.Notification(t, "compute.x", "{}"))
	if f == nil || f.Kind != Time || f.Text != "hr_event took too long and was cut off; do less, or raise [plugins] call_timeout" {
		t.Errorf("got %v", f)
	}
}

func TestLateStartsAreCutOff(t *testing.T) {
	uncollected(t)
	text := strings.Replace(guesttest.Doing("(i64.const 0)"), "(call $subscribe", ponder+" (call $subscribe", 1)
	m := compile(t, guesttest.Assemble(t, text), func(l *Limits) { l.InitFuel, l.StartTimeout = 1<<33, time.Millisecond })
	env, _ := testEnv("x")
	_, err := m.Start(env)
	if err == nil || err.Error() != "hr_init took too long and was cut off; do less, or raise [plugins] start_timeout" {
		t.Errorf("got %v", err)
	}
}

// Each call has its own time, however much those before it took.
func TestOnlyTheCallThatTakesLongIsCutOff(t *testing.T) {
	env, _ := testEnv("x")
	in := start(t, compile(t, guesttest.Assemble(t, guesttest.Busy())), env)
	w := NewWatchdog(time.Hour) // the test checks itself
	in.SetWatchdog(w)
	answer(t, in, guesttest.Notification(t, "compute.x", "{}"))
	state := w.state.Load()
	answer(t, in, guesttest.Notification(t, "compute.x", "{}"))
	if w.state.Load() == state {
		t.Error("the watchdog takes two calls for one")
	}
	left := in.fuel.left()
	w.Begin()
	defer w.End()
	for range 2 * checks { // one for each of as many calls
		w.next()
		w.check()
	}
	for range checks - 1 {
		w.check()
	}
	if got := in.fuel.left(); got != left {
		t.Errorf("a call that was found %d times has %d units left instead of %d", checks, got, left)
	}
	w.check()
	if got := in.fuel.left(); got >= 0 {
		t.Errorf("a call that was found %d times has %d units left", checks+1, got)
	}
}

// When nothing happens nobody checks, and then somebody does again.
func TestNobodyChecksWhenNothingHappens(t *testing.T) {
	w := NewWatchdog(checks * time.Millisecond)
	for range 3 {
		w.Begin()
		if !w.checking.Load() {
			t.Fatal("nobody checks what is under way")
		}
		w.End()
		testwait.Until(t, "nobody checks any more", func() bool { return !w.checking.Load() })
	}
}
