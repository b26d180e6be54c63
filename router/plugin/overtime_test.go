package plugin

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ponder is a loop whose turns take long for what they cost: each of its
// divisions waits for the one before.
var ponder = `(loop $again ` + strings.Repeat(`(global.set $x (i64.div_u (i64.const -1) (i64.or (global.get $x) (i64.const 3))))`, 50) + ` (br $again))`

// withGlobal gives a module the global that ponder works on.
func withGlobal(wat string) string {
	return strings.Replace(wat, `(data (i32.const 0)`, `(global $x (mut i64) (i64.const 5)) (data (i32.const 0)`, 1)
}

// hesitant works for ever, with fuel for a while, if the condition holds. It may
// ask its store ($get), and write to it ($set), the entry "on".
func hesitant(condition string) string {
	return strings.NewReplacer(
		`(memory`, `(import "hr" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i64)))
  (import "hr" "kv_set" (func $kv_set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (func $get (result i64) (call $kv_get (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0)))
  (func $set (result i32) (call $kv_set (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0)))
  (memory`,
		`(result i64) unreachable`, `(result i64)
    (if `+condition+` (then `+ponder+`))
    (i64.const 0)`).Replace(withGlobal(trapping))
}

// uncollected keeps Go's collector away: while it waits for a call, nobody is
// there to cut that off, and only fuel ends it.
func uncollected(t *testing.T) {
	runtime.GC()
	before := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(before) })
}

func TestLateCallsAreCutOff(t *testing.T) {
	uncollected(t)
	c := testConfig(t)
	c.Fuel, c.CallTimeout = 1<<36, time.Millisecond
	h, log := loggingHost(t, c, nil,
		"10-once.wasm", hesitant(`(i64.eqz (call $get))`), "20-always.wasm", hesitant(`(i32.const 1)`),
		"25-writes.wasm", hesitant(`(call $set)`), "30-light.wasm", saying("1"))
	now := at
	once := h.recordOf("once")
	h.now = func() time.Time {
		if once.faults[faultTime].Load() > 0 { // what it waited for has happened
			once.store.set([]byte("on"), nil, 0, anyVersion, at)
		}
		now = now.Add(5 * time.Second) // past every pause
		return now
	}
	w := testWorker(t, h)
	n := notification(t, "compute.x", "{}")
	var got []string
	emit := func(e Emission) { got = append(got, e.Plugin) }
	// The first is cut off once and then well; the second is cut off twice; the
	// third has written, and is not tried again before the next notification.
	if o := w.HandleInTime(context.Background(), n, emit); o != (Outcome{Called: 2, Faults: 2, Emitted: 1}) {
		t.Errorf("got %+v", o)
	}
	if got := h.recordOf("always").faults[faultTime].Load(); got != 2 {
		t.Errorf("%d faults of one that was cut off twice", got)
	}
	for range 5 {
		w.HandleInTime(context.Background(), n, emit)
	}
	if diff := cmp.Diff([]string{"light", "light", "light", "light", "light", "light"}, got); diff != "" {
		t.Error(diff)
	}
	s := h.Status()
	if s[0].State != Running || s[0].Faults != 1 || s[0].Calls != 6 || s[2].Faults != 1 || s[3].Faults != 0 {
		t.Errorf("got %+v, %+v, %+v", s[0], s[2], s[3])
	}
	const want = "hr_event took too long and was cut off; do less, or raise [plugins] call_timeout"
	if s[1].State != Quarantined || !strings.Contains(s[1].Reason, want) || !strings.Contains(log.String(), want) {
		t.Errorf("got %s: %s", s[1].State, s[1].Reason)
	}
}

func TestLateStartsAreCutOff(t *testing.T) {
	uncollected(t)
	c := testConfig(t)
	c.InitFuel, c.StartTimeout = 1<<36, time.Millisecond
	h := testHost(t, c, nil, "10-late.wasm", strings.Replace(withGlobal(trapping), "(call $subscribe", ponder+" (call $subscribe", 1))
	const want = "plugin 10-late.wasm: hr_init took too long and was cut off; do less, or raise [plugins] start_timeout"
	if s := h.Status()[0]; s.State != Refused || s.Reason != want {
		t.Errorf("got %s: %s", s.State, s.Reason)
	}
}

// Each call has its own time, however much those before it took.
func TestOnlyTheCallThatTakesLongIsCutOff(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "10-busy.wasm", busy)
	w := testWorker(t, h)
	w.Handle(context.Background(), notification(t, "compute.x", "{}"), func(Emission) {})
	in, o := w.instances[0], w.overtime
	left := in.fuel.Get()
	o.begin()
	defer o.end()
	for range 2 * looks { // one at each of as many calls
		o.next()
		o.look()
	}
	for range looks - 1 {
		o.look()
	}
	if got := in.fuel.Get(); got != left {
		t.Errorf("a call that was found %d times has %d units left instead of %d", looks, int64(got), left)
	}
	o.look()
	if got := int64(in.fuel.Get()); got >= 0 {
		t.Errorf("a call that was found %d times has %d units left", looks+1, got)
	}
}

// Where nothing happens nobody looks, and then somebody does again.
func TestNobodyLooksWhereNothingHappens(t *testing.T) {
	o := newOvertime(looks * time.Millisecond)
	for range 3 {
		o.begin()
		if !o.looking.Load() {
			t.Fatal("nobody looks at what is under way")
		}
		o.end()
		for deadline := time.Now().Add(time.Minute); o.looking.Load(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("somebody still looks at nothing")
			}
		}
	}
}
