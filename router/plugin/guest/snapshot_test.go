package guest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest/guesttest"
)

// hideout is a place in which a guest can keep what it has seen: text that puts
// what is there into $seen, and text that puts $next there.
type hideout struct{ name, declare, read, write string }

var hideouts = []hideout{
	{"memory", "", `(i64.load (i32.const 20000))`, `(i64.store (i32.const 20000) (local.get $next))`},
	{"the last page", "", `(i64.load (i32.const 131064))`, `(i64.store (i32.const 131064) (local.get $next))`},
	{"its scratch buffer", "", `(i64.load (i32.const 8184))`, `(i64.store (i32.const 8184) (local.get $next))`},
	{"i32 global", `(global $a (mut i32) (i32.const 1))`, `(i64.extend_i32_u (global.get $a))`, `(global.set $a (i32.wrap_i64 (local.get $next)))`},
	{"i64 global", `(global $b (mut i64) (i64.const 2))`, `(global.get $b)`, `(global.set $b (local.get $next))`},
	{"f32 global", `(global $e (mut f32) (f32.const 2))`, `(i64.extend_i32_u (i32.reinterpret_f32 (global.get $e)))`, `(global.set $e (f32.reinterpret_i32 (i32.wrap_i64 (local.get $next))))`},
	{"f64 global", `(global $c (mut f64) (f64.const 3))`, `(i64.reinterpret_f64 (global.get $c))`, `(global.set $c (f64.reinterpret_i64 (local.get $next)))`},
	{"vector global", `(global $d (mut v128) (v128.const i64x2 0 0))`, `(i64x2.extract_lane 0 (global.get $d))`, `(global.set $d (i64x2.splat (local.get $next)))`},
	{"reference global", `(global $f (mut funcref) (ref.null func))`, `(i64.extend_i32_u (ref.is_null (global.get $f)))`, `(if (i64.ne (i64.and (local.get $next) (i64.const 1)) (i64.const 0)) (then (global.set $f (ref.func $one))))`},
	{"exported global", `(global $x (export "x") (mut i64) (i64.const 2))`, `(global.get $x)`, `(global.set $x (local.get $next))`},
	{"size of the memory", "", `(i64.extend_i32_u (memory.size))`, `(drop (memory.grow (i32.wrap_i64 (i64.and (local.get $next) (i64.const 3)))))`},
	{"table entry", "", `(i64.extend_i32_u (ref.is_null (table.get 0 (i32.const 1))))`, `(if (i64.ne (i64.and (local.get $next) (i64.const 1)) (i64.const 0)) (then (table.set 0 (i32.const 1) (ref.func $one))))`},
	{"table copy", "", `(i64.extend_i32_u (ref.is_null (table.get 0 (i32.const 2))))`, `(if (i64.ne (i64.and (local.get $next) (i64.const 2)) (i64.const 0)) (then (table.copy 0 0 (i32.const 2) (i32.const 0) (i32.const 1))))`},
	{"table size", "", `(i64.extend_i32_u (table.size 0))`, `(drop (table.grow 0 (ref.null func) (i32.wrap_i64 (i64.and (local.get $next) (i64.const 3)))))`},
	{"store", "", `(i64.xor (call $kv_get (i32.const 21000) (i32.const 1) (i32.const 21008) (i32.const 8)) (i64.load (i32.const 21008)))`,
		`(i64.store (i32.const 21016) (local.get $next)) (drop (call $kv_set (i32.const 21000) (i32.const 1) (i32.const 21016) (i32.const 8) (i32.const 0) (i32.const -1)))`},
	{"versions of the store", "", `(call $kv_get (i32.const 21001) (i32.const 1) (i32.const 0) (i32.const 0))`,
		`(loop $more (drop (call $kv_set (i32.const 21001) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
		   (local.set $next (i64.shr_u (local.get $next) (i64.const 13))) (br_if $more (i64.ne (local.get $next) (i64.const 0))))`},
	{"randomness", "", `(drop (call $random (i32.const 21024) (i32.const 8))) (i64.load (i32.const 21024))`,
		`(drop (call $random (i32.const 21024) (i32.wrap_i64 (i64.and (local.get $next) (i64.const 15)))))`},
	{"clock", "", `(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 21032))) (i64.load (i32.const 21032))`,
		`(loop $more (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 21032)))
		   (local.set $next (i64.shr_u (local.get $next) (i64.const 9))) (br_if $more (i64.ne (local.get $next) (i64.const 0))))`},
	{"dropped segment", `(data $passive "x")`, `(i64.const 0)`, `(if (i64.ne (i64.and (local.get $next) (i64.const 4)) (i64.const 0)) (then (data.drop $passive)))`},
}

// spy is the text of a guest that emits a number which depends on all that its
// hideouts hold, and hides a number in them which depends on the notification.
func spy(places []hideout) string {
	var declare, read, write strings.Builder
	for _, h := range places {
		if !strings.Contains(declare.String(), h.declare) {
			declare.WriteString(h.declare)
		}
		fmt.Fprintf(&read, "(local.set $seen (i64.add (i64.mul (local.get $seen) (i64.const 31)) (block (result i64) %s)))\n", h.read)
		fmt.Fprintf(&write, "(local.set $next (call $loot)) %s\n", h.write)
	}
	return fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "raw" (func $raw (param i32 i32) (result i32)))
  (import "hr" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i64)))
  (import "hr" "kv_set" (func $kv_set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 2)
  (table 4 funcref) (elem (i32.const 0) $one) (elem declare func $one)
  (data (i32.const 0) "on compute.*\0a") (data (i32.const 21000) "k" "v")
  (data (i32.const 16384) "%s")
  %s
  (func $one)
  (func $loot (result i64) (local $i i32) (local $h i64)
    (drop (call $raw (i32.const 22000) (i32.const 1000)))
    (loop $all
      (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 1000003)) (i64.load8_u offset=22000 (local.get $i))))
      (br_if $all (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))
    (local.get $h))
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13)) (i64.const %d))
  (func (export "hr_event") (result i64) (local $seen i64) (local $next i64) (local $i i32)
    %s
    (loop $digits
      (i32.store8 offset=%d (local.get $i) (i32.add (i32.const 97) (i32.wrap_i64 (i64.and (local.get $seen) (i64.const 15)))))
      (local.set $seen (i64.shr_u (local.get $seen) (i64.const 4)))
      (br_if $digits (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16))))
    %s
    (i64.const %d)))`, guesttest.Data(spyBlock), declare.String(), 4096<<32|4096, read.String(),
		16384+len(spyBlock)-17, write.String(), 16384<<32|len(spyBlock))
}

var spyBlock = guesttest.Emit("project/p/a", "", `"0123456789abcdef"`)

// told is what a module answers to notifications of the projects, one after the
// other, as package plugin calls it. The text of a notification depends on its
// project and on how many of it there were before.
func told(t *testing.T, m *Module, projects string) (answers map[rune][]string) {
	env, _ := testEnv("x")
	in := start(t, m, env)
	snapshot := in.Snapshot()
	if snapshot != nil {
		t.Cleanup(snapshot.Close)
	}
	answers = map[rune][]string{}
	for _, project := range projects {
		n := guesttest.Notification(t, "compute.x", fmt.Sprintf(`{"secret":"%c has told its secret number %d to nobody else, and it is long enough"}`, project, len(answers[project])))
		n.Project = string(project)
		if !in.Separate(n.Project) {
			in = another(t, m, env, snapshot)
			in.Separate(n.Project)
		}
		answers[project] = append(answers[project], answer(t, in, n)...)
	}
	return answers
}

func another(t *testing.T, m *Module, env *Env, snapshot *Snapshot) *Instance {
	if snapshot == nil {
		return start(t, m, env)
	}
	in, err := m.Resume(env, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

// A guest's first answer to a project, and what follows without another project
// in between, is the same whatever it has seen of others.
func TestGuestsCarryNothingBetweenProjects(t *testing.T) {
	check := func(t *testing.T, places []hideout, projects string) {
		m := compile(t, guesttest.Assemble(t, spy(places)))
		withOthers, alone := told(t, m, projects), told(t, m, strings.ReplaceAll(projects, "a", ""))
		for _, project := range []rune{'b', 'c'} {
			if !slices.Equal(withOthers[project], alone[project]) {
				t.Errorf("with %s, project %c hears %q\nwithout a %q", projects, project, withOthers[project], alone[project])
			}
		}
	}
	for _, h := range hideouts {
		t.Run(h.name, func(t *testing.T) { check(t, []hideout{h}, "abacab") })
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 30 {
		t.Run(fmt.Sprint("spy ", i), func(t *testing.T) {
			places := slices.Clone(hideouts)
			rng.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
			var projects strings.Builder
			for range 12 {
				// b and c are never next to themselves: alone they would be, and
				// may know of themselves what they could not know in between.
				projects.WriteByte("ab"[rng.IntN(2)])
				projects.WriteString("ac"[rng.IntN(2):][:1])
			}
			check(t, places[:1+rng.IntN(6)], dedupe(projects.String()))
		})
	}
}

// dedupe drops what would be next to itself if all a were left out.
func dedupe(projects string) string {
	var b strings.Builder
	last := 'a'
	for _, p := range projects {
		if p == last && p != 'a' {
			continue
		}
		if p != 'a' {
			last = p
		}
		b.WriteRune(p)
	}
	return b.String()
}

func TestMixedGuestsRememberEverybody(t *testing.T) {
	m := compile(t, guesttest.Assemble(t, spy(hideouts[:1])))
	env, _ := testEnv("x")
	in := start(t, m, env)
	defer in.Snapshot().Close()
	of := func(project string) *event.Notification {
		n := guesttest.Notification(t, "compute.x", `{"a":"`+project+`"}`)
		n.Project = project
		return n
	}
	fresh := answer(t, in, of("a"))
	in.Mix()
	if mixed := answer(t, in, of("b")); slices.Equal(mixed, fresh) {
		t.Error("a guest with one memory for all has forgotten")
	}
	if !in.Separate("b") || !slices.Equal(answer(t, in, of("b")), fresh) {
		t.Error("a guest that was mixed has been separated and remembers")
	}
}

func TestInstancesBeginFromASnapshot(t *testing.T) {
	m := compile(t, guesttest.BuildGo(t, "stdlib"))
	env, _ := testEnv("x")
	first := start(t, m, env)
	snapshot := first.Snapshot()
	defer snapshot.Close()
	in, err := m.Resume(env, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	n := guesttest.Notification(t, "compute.x", `{"payload":{}}`)
	want := answer(t, first, n)
	for range 3 {
		if got := answer(t, in, n); !slices.Equal(got, want) || !slices.Equal(in.Subscription().Wants, first.Subscription().Wants) {
			t.Fatalf("got %q, want %q", got, want)
		}
		in.Separate(fmt.Sprint(len(want)))
		in.Mix()
		in.Separate("another")
	}
}

// BenchmarkChangeOfProject is what a change of project costs beside the call.
func BenchmarkChangeOfProject(b *testing.B) {
	for name, code := range map[string][]byte{
		"Go":              guesttest.BuildGo(b, "../../testdata/route"),
		"Go, which grows": guesttest.BuildGo(b, "probe"),
		"small":           guesttest.Assemble(b, guesttest.Saying(`{}`)),
	} {
		m := compile(b, code)
		env, _ := testEnv("x")
		in := start(b, m, env)
		snapshot := in.Snapshot()
		defer snapshot.Close()
		n := guesttest.Notification(b, "compute.x", `{"payload":{}}`)
		for _, changes := range []string{"same", "change"} {
			b.Run(name+"/"+changes, func(b *testing.B) {
				b.ReportAllocs()
				projects := [2]string{"a", "a"}
				if changes == "change" {
					projects[1] = "b"
				}
				i := 0
				for b.Loop() {
					n.Project = projects[i&1]
					i++
					if !in.Separate(n.Project) {
						in.Close()
						in, _ = m.Resume(env, snapshot)
					}
					if fault := in.Handle(n); fault != nil {
						b.Fatal(fault)
					}
				}
			})
		}
		in.Close()
	}
}
