package guest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// hostWork is what a guest has the host do over and over: its expression leaves
// what pops drops, n bytes of memory are at $buf, and $i counts up.
type hostWork struct {
	name, imports, prepare, work string
	// least is how much fuel one turn takes at least, by what the host goes through
	// for it: there are 1,498 values in the message, and no unit for fewer than eight
	// bytes.
	least int64
}

const longPath = "/payload/a/a/a/a/a/a/a/a/a/a/a/a/a/a"

// hostWorks have one line for each kind of work that the host does for a guest.
var hostWorks = []hostWork{
	{"field, all of it", "field", "", `(drop (call $f (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))`, 1498 * nodeFuel},
	{"field, all of it, read", "field", "", `(drop (call $f (i32.const 0) (i32.const 0) (i32.const 262144) (i32.const 100000)))`, 3 * 1498 * nodeFuel},
	{"field, one value", "field", "", `(drop (call $f (i32.const 128) (i32.const 11) (i32.const 262144) (i32.const 1000)))`, 2 * stepFuel},
	{"field, last element", "field", "", `(drop (call $f (i32.const 144) (i32.const 14) (i32.const 262144) (i32.const 1000)))`, 490 * elementFuel},
	{"field, no such path", "field", "", `(drop (call $f (i32.const 192) (i32.const 36) (i32.const 262144) (i32.const 1000)))`, 14 * stepFuel},
	{"field, a new path", "field", "", `(i32.store offset=220 (i32.const 0) (i32.or (i32.const 0x30303030) (i32.and (i32.mul (local.get $i) (i32.const 0x9e3779b1)) (i32.const 0x0f0f0f0f))))
      (drop (call $f (i32.const 192) (i32.const 36) (i32.const 262144) (i32.const 1000)))`, 36 * pointerFuel},
	{"raw", "raw", "", `(drop (call $f (i32.const 262144) (i32.const 200000)))`, 15_000 / bytesPerFuel},
	{"log", "log", "", `(call $f (i32.const 1) (i32.const 65536) (i32.const 200))`, lineFuel + 200/bytesPerFuel},
	{"log, long", "log", "", `(call $f (i32.const 1) (i32.const 65536) (i32.const 100000))`, lineFuel + maxLogLine/bytesPerFuel},
	{"fd_write, short lines", "fd_write", "", `(drop (call $f (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 96)))`, 8192 * lineFuel},
	{"fd_write, long lines", "fd_write", "", `(drop (call $f (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 96)))`, 16*lineFuel + 16_384/bytesPerFuel},
	{"fd_write, 256 buffers", "fd_write", "", `(drop (call $f (i32.const 1) (i32.const 4096) (i32.const 256) (i32.const 96)))`, 256 * vectorFuel},
	{"random_get", "random_get", "", `(drop (call $f (i32.const 262144) (i32.const 65536)))`, 65_536},
	{"clock_time_get", "clock_time_get", "", `(drop (call $f (i32.const 0) (i64.const 0) (i32.const 96)))`, hostCallFuel},
	{"poll_oneoff, 256 clocks", "poll_oneoff", "", `(drop (call $f (i32.const 262144) (i32.const 300000) (i32.const 256) (i32.const 96)))`, 256 * (pollSubscription + pollEvent) / bytesPerFuel},
	{"fd_fdstat_get", "fd_fdstat_get", "", `(drop (call $f (i32.const 1) (i32.const 96)))`, hostCallFuel},
	{"path_open", "path_open", "", `(drop (call $f (i32.const 1) (i32.const 96) (i32.const 96) (i32.const 96) (i32.const 96) (i64.const 96) (i64.const 96) (i32.const 96) (i32.const 96)))`, hostCallFuel},
	{"now", "now", "", `(drop (call $f))`, hostCallFuel},
	{"config", "config", "", `(drop (call $f (i32.const 262144) (i32.const 65536)))`, 10_000 / bytesPerFuel},
	{"kv_get, nothing", "kv_get", "", `(drop (call $f (i32.const 65536) (i32.const 256) (i32.const 262144) (i32.const 65536)))`, 256 / bytesPerFuel},
	{"kv_get, 64 KiB", "kv_get", `(drop (call $s (i32.const 65536) (i32.const 8) (i32.const 65536) (i32.const 65536) (i32.const 0) (i32.const -1)))`,
		`(drop (call $f (i32.const 65536) (i32.const 8) (i32.const 262144) (i32.const 65536)))`, 65_536 / bytesPerFuel},
	{"kv_set, short", "kv_set", "", `(i32.store (i32.const 65536) (local.get $i))
      (drop (call $f (i32.const 65536) (i32.const 8) (i32.const 262144) (i32.const 8) (i32.const 0) (i32.const -1)))`, entryFuel},
	{"kv_set, 64 KiB", "kv_set", "", `(i32.store (i32.const 65536) (local.get $i))
      (drop (call $f (i32.const 65536) (i32.const 256) (i32.const 262144) (i32.const 65536) (i32.const 0) (i32.const -1)))`, 65_536 / keptPerFuel},
	{"kv_set, lengths by turns", "kv_set", "", `(i32.store (i32.const 65536) (local.get $i))
      (drop (call $f (i32.const 65536) (i32.const 4) (i32.const 262144) (i32.mul (i32.rem_u (local.get $i) (i32.const 64)) (i32.const 1000)) (i32.const 0) (i32.const -1)))`, entryFuel + 5_000/keptPerFuel},
	{"kv_delete", "kv_delete", "", `(drop (call $f (i32.const 65536) (i32.const 256)))`, entryFuel + 256/bytesPerFuel},
}

// text is a module that does the work so many times for each notification.
func (w hostWork) text(times int) string {
	f, from := hostFunctions[w.imports], "hr"
	if f.call == nil {
		f, from = wasiFunctions[w.imports], wasiModule
	}
	types := func(keyword, letters string) string {
		if letters == "" {
			return ""
		}
		return "(" + keyword + strings.NewReplacer("i", " i32", "I", " i64").Replace(letters) + ")"
	}
	return fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "kv_set" (func $s (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "%s" "%s" (func $f %s %s))
  (memory (export "memory") 16)
  (data (i32.const 16) "on compute.*\0a")
  (data (i32.const 64) "\00\00\01\00\00\40\00\00" "\00\00\02\00\00\40\00\00")
  (data (i32.const 128) "/payload/id") (data (i32.const 144) "/payload/m/490") (data (i32.const 192) "%s")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64) (local $i i32)
    (memory.fill (i32.const 65536) (i32.const 10) (i32.const 65536)) (memory.fill (i32.const 131072) (i32.const 97) (i32.const 65536))
    (local.set $i (i32.const 65536))
    (loop $n (i32.store (local.get $i) (i32.const 0x0a610a61))
      (br_if $n (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 131072))))
    (local.set $i (i32.const 4096))
    (loop $n (i32.store (local.get $i) (i32.const 131072)) (i32.store offset=4 (local.get $i) (i32.const 1))
      (br_if $n (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 6144))))
    (call $subscribe (i32.const 16) (i32.const 13))
    (i64.const 0x0000400000004000))
  (func (export "hr_event") (result i64) (local $i i32)
    %s
    (local.set $i (i32.const %d))
    (loop $n %s
      (br_if $n (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (i64.const 0)))`, from, w.imports, types("param", f.params), types("result", f.results), longPath, w.prepare, times, w.work)
}

// largeMessage has 500 values in its list, and much white space.
func largeMessage() string {
	items := make([]string, 491)
	for i := range items {
		items[i] = `{"a": "0123456789", "b": ` + fmt.Sprint(i) + `}`
	}
	deep := strings.Repeat(`{"a": `, 20) + "1" + strings.Repeat("}", 20)
	return `{"payload": {"id": "f00d", "m": [` + strings.Join(items, ", ") + `], "a": ` + deep + `}}`
}

// What the host does for a guest takes fuel, by how much it has to go through.
func TestHostCallsTakeFuel(t *testing.T) {
	n := guesttest.Notification(t, "compute.x", largeMessage())
	if nodes := n.Root().Nodes(); nodes != 1498 {
		t.Fatalf("there are %d values in the message", nodes)
	}
	for _, w := range hostWorks {
		const times = 10
		in := start(t, compile(t, guesttest.Assemble(t, w.text(times)), func(l *Limits) { l.Fuel = 1 << 40 }), hostWorkEnv())
		if f := in.Handle(n); f != nil {
			t.Errorf("%s: %s", w.name, f)
		}
		// A turn takes a hundred units without the host.
		if each := (in.Spent() - 33_000*int64(strings.Count(w.prepare, "$s"))) / times; each < w.least || each > 2*w.least+500 {
			t.Errorf("%s: %d units, at least %d", w.name, each, w.least)
		}
	}
}

// Without the fuel for it, the host does not do it.
func TestHostWorkEndsWithoutFuel(t *testing.T) {
	n := guesttest.Notification(t, "compute.x", largeMessage())
	for _, w := range hostWorks {
		if w.least < 5_000 {
			continue
		}
		in := start(t, compile(t, guesttest.Assemble(t, w.text(1)), func(l *Limits) { l.Fuel = 4_000 }), hostWorkEnv())
		if f := in.Handle(n); f == nil || f.Kind != Fuel {
			t.Errorf("%s: got %v", w.name, f)
		}
	}
}

func hostWorkEnv() *Env {
	log := new(guesttest.Log)
	return &Env{Name: "x", Config: []byte(strings.Repeat(" ", 10_000)), Store: NewStore(10_000, 4<<20, time.Hour), Log: NewLog(log.Logger(), 20, 16<<10)}
}

// BenchmarkHostCalls shows how long a unit of fuel lasts that the host takes for its
// work. A unit of a guest's own code lasts 0.1 to 1 ns unless it waits for memory.
func BenchmarkHostCalls(b *testing.B) {
	n := guesttest.Notification(b, "compute.x", largeMessage())
	for _, w := range hostWorks {
		b.Run(w.name, func(b *testing.B) {
			const times = 200
			m := compile(b, guesttest.Assemble(b, w.text(times)), func(l *Limits) { l.Fuel = 1 << 40; l.HostCalls = 1000 })
			in := start(b, m, hostWorkEnv())
			units, least := int64(0), time.Hour
			for b.Loop() {
				began := time.Now()
				if f := in.Handle(n); f != nil {
					b.Fatal(f)
				}
				least = min(least, time.Since(began))
				units = in.Spent()
			}
			b.ReportMetric(float64(units)/times, "units/call")
			b.ReportMetric(float64(least)/times, "ns/call")
			b.ReportMetric(float64(least)/float64(units), "ns/unit")
			b.ReportMetric(0, "ns/op")
		})
	}
}
