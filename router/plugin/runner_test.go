package plugin

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
)

// hesitant works for ever, with fuel for a while, if the condition holds. It may
// ask its store ($get), and write to it ($set), the entry "on".
func hesitant(condition string) string {
	return guesttest.Doing(`(if ` + strings.NewReplacer(
		"$get", `$kv_get (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0)`,
		"$set", `$kv_set (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 0)`,
	).Replace(condition) + ` (then (loop $again
      ` + strings.Repeat(`(global.set $x (i64.div_u (i64.const -1) (i64.or (global.get $x) (i64.const 3))))`, 50) + `
      (br $again)))) (i64.const 0)`)
}

// A call that was cut off is tried once more, on a new instance, unless it has
// written to its store.
func TestLateCallsAreTriedAgain(t *testing.T) {
	// While Go's collector waits for a call, nobody is there to cut that off.
	runtime.GC()
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	c := testConfig(t)
	c.FaultProjects = 1
	c.Fuel, c.CallTimeout = 1<<33, time.Millisecond
	h, log := loggingHost(t, c, nil,
		"10-once.wasm", hesitant(`(i64.eqz (call $get))`), "20-always.wasm", hesitant(`(i32.const 1)`),
		"25-writes.wasm", hesitant(`(call $set)`), "30-light.wasm", guesttest.Saying("1"))
	now := guesttest.At
	once := h.records.of("once")
	h.now = func() time.Time {
		if once.faults[guest.Time].Load() > 0 { // what it waited for has happened
			once.store.Set(guest.Owner{Project: guesttest.Project}, []byte("on"), nil, 0, abi.KVAnyVersion, guesttest.At)
		}
		now = now.Add(5 * time.Second) // past every pause
		return now
	}
	r := testRunner(t, h)
	n := guesttest.Notification(t, "compute.x", "{}")
	var got []string
	emit := func(e Emission) { got = append(got, e.Plugin) }
	// The first is cut off once and then well; the second is cut off twice; the
	// third has written, and is not tried again before the next notification.
	if o := r.HandleInTime(context.Background(), n, time.Hour, emit); o != (Outcome{Called: 2, Faults: 2, Emitted: 1}) {
		t.Errorf("got %+v", o)
	}
	if got := h.records.of("always").faults[guest.Time].Load(); got != 2 {
		t.Errorf("%d faults of one that was cut off twice", got)
	}
	for range 5 {
		r.HandleInTime(context.Background(), n, time.Hour, emit)
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

// A version that is replaced while it runs lives until its call is over, and so do
// those after it in the same set.
func TestACallKeepsItsVersionAlive(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"), "20-b.wasm", guesttest.Saying("1"))
	r := testRunner(t, h)
	install(t, c.Dir, "10-a.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	install(t, c.Dir, "20-b.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	handle := func(reloads bool) (got []string) {
		o := r.Handle(context.Background(), guesttest.Notification(t, "compute.x", "{}"), func(e Emission) {
			if reloads {
				reload(t, h)
			}
			got = append(got, e.Plugin+string(e.Payload))
		})
		if o.Faults > 0 {
			t.Errorf("got %+v: %+v", o, h.Status())
		}
		return got
	}
	if diff := cmp.Diff([]string{"a1", "b1"}, handle(true)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a2", "b2"}, handle(false)); diff != "" {
		t.Error(diff)
	}
}

// After the deadline no plugin is called any more. A notification is not late
// because those who are to hear of it cannot keep up.
func TestNoneIsCalledAfterTheDeadline(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "10-one.wasm", guesttest.Saying("1"), "20-two.wasm", guesttest.Saying("2"))
	synctest.Test(t, func(t *testing.T) {
		r := testRunner(t, h)
		n := guesttest.Notification(t, "compute.x", "{}")
		slow := func(Emission) { time.Sleep(2 * time.Second) }
		if o := r.HandleInTime(t.Context(), n, time.Second, slow); o != (Outcome{Called: 2, Emitted: 2}) {
			t.Errorf("in time, but for those who hear: %+v", o)
		}
		if o := r.HandleInTime(t.Context(), n, -time.Second, slow); o != (Outcome{Late: true}) {
			t.Errorf("late: %+v", o)
		}
	})
}
