package guest

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/wazerotest"

	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin/guest/guesttest"
)

const endless = `(loop $again (global.set $x (i64.add (global.get $x) (i64.const 1))) (br $again))`

func TestLateCallsAreCutOff(t *testing.T) {
	m := compile(t, guesttest.Assemble(t, guesttest.Doing(endless+"(i64.const 0)")), func(l *Limits) {
		l.Fuel, l.CallTimeout = 1<<31, time.Millisecond
	})
	env, _ := testEnv("x")
	in := start(t, m, env)
	f := in.Handle(guesttest.Notification(t, "compute.x", "{}"))
	if f == nil || f.Kind != Time || f.Text != "hr_event took too long and was cut off; do less, or raise [plugins] call_timeout" {
		t.Errorf("got %v", f)
	}
}

func TestLateStartsAreCutOff(t *testing.T) {
	text := strings.Replace(guesttest.Doing("(i64.const 0)"), "(call $subscribe", endless+" (call $subscribe", 1)
	m := compile(t, guesttest.Assemble(t, text), func(l *Limits) { l.InitFuel, l.StartTimeout = 1<<31, time.Millisecond })
	env, _ := testEnv("x")
	_, err := m.Start(env)
	if err == nil || err.Error() != "hr_init took too long and was cut off; do less, or raise [plugins] start_timeout" {
		t.Errorf("got %v", err)
	}
	m.limits.StartTimeout, m.limits.CallTimeout = time.Hour, time.Millisecond
	_, err = m.Restart(env) // which notifications wait for
	if err == nil || err.Error() != "hr_init took too long and was cut off; do less, or raise [plugins] call_timeout" {
		t.Errorf("got %v", err)
	}
}

// A call is in Go code once for each slice of its fuel, whatever it does.
func TestEachSliceEndsInGo(t *testing.T) {
	const units = 20 * fuel.Slice
	for name, work := range map[string]string{
		"loop":  endless,
		"fills": `(loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $again))`,
		"loads": `(loop $again ` + strings.Repeat("(drop (i32.load (i32.const 64)))", 5_000) + ` (br $again))`,
	} {
		m := compile(t, guesttest.Assemble(t, guesttest.Doing(work+"(i64.const 0)")), func(l *Limits) { l.Fuel = units })
		env, _ := testEnv("x")
		in := start(t, m, env)
		f := in.Handle(guesttest.Notification(t, "compute.x", "{}"))
		if f == nil || f.Kind != Fuel || in.tank.looks < units/fuel.Slice {
			t.Errorf("%s: %d looks, %v", name, in.tank.looks, f)
		}
	}
}

// Collections begin and end within a call.
func TestCollectionsDoNotWaitForACall(t *testing.T) {
	m := compile(t, guesttest.Assemble(t, guesttest.Doing(endless+"(i64.const 0)")), func(l *Limits) {
		l.Fuel, l.CallTimeout = 1<<32, time.Hour
	})
	env, _ := testEnv("x")
	in := start(t, m, env)
	var over atomic.Bool
	ended := make(chan *Fault)
	go func() {
		f := in.Handle(guesttest.Notification(t, "compute.x", "{}"))
		over.Store(true)
		ended <- f
	}()
	for range 3 {
		runtime.GC()
	}
	if over.Load() {
		t.Error("they waited for its end")
	}
	if f := <-ended; f == nil || f.Kind != Fuel {
		t.Errorf("got %v", f)
	}
}

// What a slice cannot have taken is the machine's doing.
func TestOnlyTheCallsOwnTimeCounts(t *testing.T) {
	newTank := func(limit time.Duration) *tank {
		k := &tank{counter: settable{wazerotest.GlobalI64(0)}}
		k.fill(1<<40, limit)
		return k
	}
	k := newTank(time.Second)
	if _, err := k.refill(0); err != nil {
		t.Fatal(err)
	}
	k.seen -= time.Hour
	if _, err := k.refill(0); err != nil || k.took > fuel.Slice*fuel.SlowestUnit {
		t.Errorf("a slice counts %v, %v", k.took, err)
	}
	k = newTank(time.Second)
	for range 2 * callsPerLook {
		k.seen -= 10 * slowestCall
		k.calls++
		if err := k.take(1); err != nil {
			t.Fatal(err)
		}
	}
	if least, most := callsPerLook*slowestCall, callsPerLook*(slowestCall+fuel.SlowestUnit); k.took < least || k.took > most {
		t.Errorf("host calls for %v count %v", 10*least, k.took)
	}
}

// The last slices of a call are small enough for it to end in time.
func TestSlicesBeforeTheLimitAreSmall(t *testing.T) {
	k := &tank{counter: settable{wazerotest.GlobalI64(0)}}
	k.fill(1<<40, 20*time.Millisecond)
	k.took = 20 * time.Millisecond
	before := k.fuel.Left(0)
	_, err := k.refill(0)
	if units := before - k.fuel.Left(0); err != nil || units == 0 || units*int64(fuel.SlowestUnit) > int64(grace) {
		t.Errorf("%d units, %v", units, err)
	}
}
