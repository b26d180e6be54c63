package guest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// long is a loop that takes far more fuel than a call has, but comes to an end.
const long = `(loop $again
  (global.set $n (i32.add (global.get $n) (i32.const 1)))
  (br_if $again (i32.lt_u (global.get $n) (i32.const 100000000))))`

// Each of these calls ends with a fault that says what went wrong and what to do.
func TestFaults(t *testing.T) {
	const zero = "(i64.const 0)"
	for _, c := range []struct{ name, do, kind, text string }{
		{"work without end", long + zero, "fuel", "hr_event worked for more than 30000000 units of fuel; do less, or raise [plugin.x] fuel"},
		{"trap", "unreachable", "trap", "hr_event trapped: unreachable"},
		{"result past the memory", "(i64.const 0x1000000000010)", "result", "hr_event returned a result of 16 bytes at 0x10000, past the end of its memory of 65536 bytes"},
		{"result that ends past the memory", "(i64.const 0xfff800000009)", "result", "hr_event returned a result of 9 bytes at 0xfff8, past the end of its memory of 65536 bytes"},
		{"result of no form", "(i64.const 0x4)", "result", "its result ends in the middle of a record's header, at byte 0 of 4"},
		{"host calls", "(loop $again (drop (call $now)) (br $again))" + zero, "budget", "hr_event called the host more than 1000 times; call it less, or raise [plugins] host_calls_per_event"},
		{"pointer past the memory", "(call $kv_get (i32.const 65535) (i32.const 2) (i32.const 0) (i32.const 0))", "call", "hr_event passed kv_get a pointer past the end of its memory"},
		{"long key", "(call $kv_get (i32.const 0) (i32.const 257) (i32.const 0) (i32.const 0))", "call", "hr_event called kv_get with a key of 257 bytes, over the limit of 256"},
		{"subscription in a call", "(call $subscribe (i32.const 0) (i32.const 13))" + zero, "call", "hr_event called subscribe, which is for hr_init"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, _ := testEnv("x")
			in := start(t, compile(t, guesttest.Assemble(t, guesttest.Doing(c.do))), env)
			f := in.Handle(guesttest.Notification(t, "compute.x", "{}"))
			if f == nil || string(f.Kind) != c.kind || f.Text != c.text {
				t.Errorf("got  %v\nwant %s", f, c.text)
			}
			if in.Spent() != 0 && c.kind != "result" || len(in.Result().Emissions) > 0 {
				t.Errorf("a failed call spent %d and left %v", in.Spent(), in.Result())
			}
		})
	}
}

// What is for calls is refused while the guest starts, and a start has its own
// fuel.
func TestStartFaults(t *testing.T) {
	for _, c := range []struct{ name, do, kind, text string }{
		{"time of no notification", "(drop (call $now))", "call", "hr_init called now, which is for hr_event"},
		{"store", "(drop (call $kv_get (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))", "call", "hr_init called kv_get, which is for hr_event"},
		{"write to the store", "(drop (call $kv_set (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))", "call", "hr_init called kv_set, which is for hr_event"},
		{"work without end", long, "fuel", "hr_init worked for more than 100000 units of fuel; do less, or raise [plugins] init_fuel"},
		{"refusal", "(return (i64.const 0))", "start", "hr_init returned 0: it refuses to start; look at what it logs, and at [plugin.x] config"},
		{"buffer past the memory", "(return (i64.const 0xffff00001000))", "result", "hr_init returned a scratch buffer past the end of its memory; return one within it"},
		{"small buffer", "(return (i64.const 0x100000000010))", "result", "hr_init returned a scratch buffer of 16 bytes; for 0 wanted fields it takes 80 and room for what is in them; return a larger one"},
		{"no subscription", "(return (i64.const 0x100000001000))", "start", "hr_init subscribed to no event type, so that it would never be called; declare one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, _ := testEnv("x")
			text := strings.Replace(guesttest.Doing("(i64.const 0)"), "(call $subscribe", c.do+" (call $subscribe", 1)
			m := compile(t, guesttest.Assemble(t, text), func(l *Limits) { l.InitFuel = 100_000 })
			_, err := m.Start(env)
			if f, ok := err.(*Fault); !ok || string(f.Kind) != c.kind || f.Text != c.text {
				t.Errorf("got  %v\nwant %s", err, c.text)
			}
		})
	}
}

// The fuel of one call is no other's, and what it spent is told.
func TestEachCallHasItsOwnFuel(t *testing.T) {
	env, _ := testEnv("x")
	in := start(t, compile(t, guesttest.Assemble(t, guesttest.Busy())), env)
	for range 5 { // together more than one may
		answer(t, in, guesttest.Notification(t, "compute.x", "{}"))
		if spent := in.Spent(); spent < 5_000_000 || spent > 25_000_000 {
			t.Fatalf("a call took %d units", spent)
		}
	}
}

// Memory has a limit, and an instance that has come halfway to it has grown.
func TestMemoryIsBounded(t *testing.T) {
	growing := guesttest.Doing(`(drop (memory.grow (i32.const 60))) (i64.const 0)`)
	env, _ := testEnv("x")
	m := compile(t, guesttest.Assemble(t, growing), func(l *Limits) { l.MemoryBytes = 128*pageBytes + 1 })
	in := start(t, m, env)
	var got []string
	for range 4 {
		answer(t, in, guesttest.Notification(t, "compute.x", "{}"))
		got = append(got, fmt.Sprint(in.mem.Size()/pageBytes, in.Grown()))
	}
	if diff := cmp.Diff([]string{"61 false", "121 true", "121 true", "121 true"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHandleAllocatesNothing(t *testing.T) {
	env, _ := testEnv("x")
	text := guesttest.Answering("on compute.*\nwant /payload/a\nwant /payload/b\n", guesttest.Emit("public/a", "k", `{"v":1}`), "")
	in := start(t, compile(t, guesttest.Assemble(t, text)), env)
	n := guesttest.Notification(t, "compute.x", `{"payload": {"a": "x", "b": [1, {"c": "d"}]}}`)
	if allocs := testing.AllocsPerRun(100, func() { in.Handle(n) }); allocs != 0 {
		t.Errorf("a call costs %v allocations", allocs)
	}
	if got := answer(t, in, n); len(got) != 1 || got[0] != `public/a|k|{"v":1}` {
		t.Errorf("got %v", got)
	}
}
