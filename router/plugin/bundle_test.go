package plugin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// bundle is the text of a module that carries the named plugins. Each says the word
// and its number.
func bundle(word string, names ...string) string {
	text := strings.Join(names, "\n")
	const declaration = "on compute.*\n"
	var blocks strings.Builder
	size := 0
	for i := range names {
		block := guesttest.Emit("public/a", "", fmt.Sprintf(`"%s%d"`, word, i))
		size = len(block)
		fmt.Fprintf(&blocks, "(data (i32.const %d) \"%s\")\n", 8192+256*i, guesttest.Data(block))
	}
	return fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (global $chosen (mut i32) (i32.const -1))
  (data (i32.const 0) "%s")
  (data (i32.const 1024) "%s")
  %s
  (func (export "hr_abi_1"))
  (func (export "hr_plugins") (result i64) (i64.const %d))
  (func (export "hr_choose") (param i32) (global.set $chosen (local.get 0)))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const %d))
    (i64.const %d))
  (func (export "hr_event") (result i64)
    (i64.or (i64.const %d) (i64.shl (i64.extend_i32_u (i32.add (i32.const 8192) (i32.mul (global.get $chosen) (i32.const 256)))) (i64.const 32)))))`,
		guesttest.Data([]byte(declaration)), guesttest.Data([]byte(text)), blocks.String(),
		1024<<32|len(text), len(declaration), 4096<<32|2048, size)
}

// states is what became of each plugin, one per line.
func states(h *Host) string {
	var b strings.Builder
	for _, s := range h.Status() {
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", s.File, s.Name, s.State, s.Refused)))
	}
	return b.String()
}

func TestBundleIsSeveralPlugins(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "40-b.wasm", guesttest.Saying("1"), "50-all.wasm", bundle("x", "one", "two"), "60-z.wasm", guesttest.Saying("2"))
	if diff := cmp.Diff("40-b.wasm b running\n50-all.wasm one running\n50-all.wasm two running\n60-z.wasm z running\n", states(h)); diff != "" {
		t.Error(diff)
	}
	if got := payloads(t, testRunner(t, h)); got != `b: public/a||1 one: public/a||"x0" two: public/a||"x1" z: public/a||2` {
		t.Error(got)
	}
	one, two := h.current.load().versions[1], h.current.load().versions[2]
	if one.code != two.code || one.record == two.record || one.health == two.health || one.snapshot == two.snapshot {
		t.Error("the plugins of a bundle share something else than the code")
	}
}

func TestStatusSaysWhatAPluginTakes(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "50-all.wasm", bundle("x", "one", "two"))
	for _, s := range h.Status() {
		if s.CodeBytes < 1<<10 || s.CodeBytes > 1<<20 || s.InstanceBytes != 64<<10 || s.SnapshotBytes <= 0 || s.SnapshotBytes > 64<<10 || s.Instances != 1 {
			t.Errorf("%s: %d bytes of code, %d of a snapshot, %d per instance, %d instances", s.Name, s.CodeBytes, s.SnapshotBytes, s.InstanceBytes, s.Instances)
		}
	}
}

func TestPluginsOfABundleAreSwitchedOff(t *testing.T) {
	no := false
	off := Settings{Enabled: &no}
	h := testHost(t, testConfig(t), map[string]Settings{"one": off}, "50-all.wasm", bundle("x", "one", "two"))
	w := testRunner(t, h)
	for _, step := range []struct {
		settings     map[string]Settings
		states, says string
	}{
		{map[string]Settings{"one": off}, "50-all.wasm one disabled\n50-all.wasm two running\n", `two: public/a||"x1"`},
		{map[string]Settings{"two": off}, "50-all.wasm one running\n50-all.wasm two disabled\n", `one: public/a||"x0"`},
		{map[string]Settings{"two": off, "one": off}, "50-all.wasm one disabled\n50-all.wasm two disabled\n", ""},
		{nil, "50-all.wasm one running\n50-all.wasm two running\n", `one: public/a||"x0" two: public/a||"x1"`},
		{map[string]Settings{"all": off}, "50-all.wasm all disabled\n", ""},
		{map[string]Settings{"one": off}, "50-all.wasm one disabled\n50-all.wasm two running\n", `two: public/a||"x1"`},
	} {
		if err := h.Reconfigure(context.Background(), step.settings); err != nil {
			t.Fatal(err)
		}
		if got := states(h); got != step.states {
			t.Errorf("got\n%swant\n%s", got, step.states)
		}
		if got := payloads(t, w); got != step.says {
			t.Errorf("got %s, want %s", got, step.says)
		}
	}
}

func TestReconfiguringAPluginOfABundleLeavesTheOthersAlone(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "50-all.wasm", bundle("x", "one", "two"))
	before := h.current.load().versions
	code := before[0].code
	if err := h.Reconfigure(context.Background(), map[string]Settings{"two": {Fuel: 1 << 20}}); err != nil {
		t.Fatal(err)
	}
	after := h.current.load().versions
	if after[0] != before[0] || after[1] == before[1] || after[1].code != code || after[1].limits.Fuel != 1<<20 {
		t.Error("the wrong plugin is new, or it was compiled again")
	}
	if n := code.holds.Load(); n != 2 {
		t.Errorf("%d hold the code", n)
	}
	if err := os.Remove(filepath.Join(h.cfg.Dir, "50-all.wasm")); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if n := code.holds.Load(); n != 0 || states(h) != "" {
		t.Errorf("%d hold the code of a file that is gone: %s", n, states(h))
	}
}

func TestNameClashesWithABundle(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "40-two.wasm", guesttest.Saying("1"), "50-all.wasm", bundle("x", "one", "two", "Three"), "60-one.wasm", guesttest.Saying("2"))
	want := `40-two.wasm two running
50-all.wasm one running
50-all.wasm two refused plugin two of 50-all.wasm: its name "two" is taken by 40-two.wasm; rename or remove one of them
50-all.wasm Three refused plugin Three of 50-all.wasm: its name "Three" is no plugin's name; use 1 to 64 characters of a-z 0-9 _ -
60-one.wasm one refused plugin 60-one.wasm: its name "one" is taken by 50-all.wasm; rename or remove one of them
`
	if diff := cmp.Diff(want, states(h)); diff != "" {
		t.Error(diff)
	}
	if err := os.Remove(filepath.Join(c.Dir, "40-two.wasm")); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if got := payloads(t, testRunner(t, h)); got != `one: public/a||"x0" two: public/a||"x1"` {
		t.Errorf("the name is free, and the bundle's plugin does not run: %s", got)
	}
}

func TestNewVersionOfABundle(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "50-all.wasm", bundle("x", "one", "two"))
	w := testRunner(t, h)
	for _, step := range []struct{ module, states, says string }{
		{"(module)", "50-all.wasm one running %s\n50-all.wasm two running %s\n", `one: public/a||"x0" two: public/a||"x1"`},
		{bundle("y", "two", "three"), "50-all.wasm two running\n50-all.wasm three running\n", `two: public/a||"y0" three: public/a||"y1"`},
		{guesttest.Saying("3"), "50-all.wasm all running\n", "all: public/a||3"},
	} {
		install(t, c.Dir, "50-all.wasm", guesttest.Assemble(t, step.module))
		reload(t, h)
		refused := func(plugin string) string {
			return "plugin " + plugin + ` of 50-all.wasm: it has no export "hr_abi_1", so it is no plugin for this router; build it with the sdk (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)`
		}
		want := step.states
		if strings.Contains(want, "%s") {
			want = fmt.Sprintf(want, refused("one"), refused("two"))
		}
		if got := states(h); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if got := payloads(t, w); got != step.says {
			t.Errorf("got %s, want %s", got, step.says)
		}
	}
}

func TestMemoryLimitOfAPluginInABundle(t *testing.T) {
	c := testConfig(t)
	growing := strings.Replace(bundle("x", "one", "two"), `(func (export "hr_event") (result i64)`, `(func (export "hr_event") (result i64)
    (if (i32.eq (memory.grow (i32.const 3)) (i32.const -1)) (then (unreachable)))`, 1)
	h := testHost(t, c, map[string]Settings{"two": {MemoryBytes: 3 << 16}}, "50-all.wasm", growing)
	w := testRunner(t, h)
	if got := payloads(t, w); got != `one: public/a||"x0"` {
		t.Errorf("of two plugins one of which may not grow so far: %s", got)
	}
	big := strings.Replace(bundle("x", "one", "two"), `"memory") 1`, `"memory") 4`, 1)
	install(t, c.Dir, "50-all.wasm", guesttest.Assemble(t, big))
	reload(t, h)
	const want = "plugin two of 50-all.wasm: memory 262144 bytes is over the limit of 196608; raise [plugin.two] memory"
	if s := h.Status(); s[0].Refused != "" || s[1].Refused != want {
		t.Errorf("got %q and %q", s[0].Refused, s[1].Refused)
	}
}

func TestWhatABundleMustNotSay(t *testing.T) {
	many := make([]string, 65)
	for i := range many {
		many[i] = fmt.Sprint("p", i)
	}
	const one = `(func (export "hr_plugins") (result i64) (i64.const 0))`
	for name, c := range map[string]struct{ module, want string }{
		"a name twice":       {bundle("x", "one", "one"), `ask which plugins are in it: it carries two plugins called "one"; rename one`},
		"too many plugins":   {bundle("x", many...), "ask which plugins are in it: it carries 65 plugins, over the limit of 64; split it"},
		"one export of two":  {guesttest.Answering("on compute.*\n", nil, one), `it exports "hr_plugins" or "hr_choose" without the other; export both, or neither`},
		"an export's type":   {guesttest.Answering("on compute.*\n", nil, one+`(func (export "hr_choose"))`), `its export "hr_choose" is no function (i32); export one, or leave it out`},
		"names past the end": {strings.Replace(bundle("x", "one"), fmt.Sprint(1024<<32|3), fmt.Sprint(65534<<32|3), 1), "ask which plugins are in it: hr_plugins returned a text past the end of its memory; return one within it"},
	} {
		t.Run(name, func(t *testing.T) {
			h := testHost(t, testConfig(t), nil, "50-all.wasm", c.module)
			if got := h.Status()[0].Refused; got != "plugin 50-all.wasm: "+c.want {
				t.Error(got)
			}
		})
	}
}

func TestBundleInGo(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "50-all.wasm", guesttest.BuildGo(t, "bundle"))
	got, _ := gather(testRunner(t, h), guesttest.Notification(t, "compute.x", `{"payload": {"id": "i1", "size": 7, "state": "on"}}`))
	want := []string{`sizes: public/sizes|i1|{"sizes":7}`, `states: public/states|i1|{"states":"on"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	sub := h.current.load().versions[1].sub
	if diff := cmp.Diff([]string{"/payload/id", "/payload/state"}, sub.Wants); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"states"}, {"admin"}}, [][]string{sub.Topics, sub.Grants}); diff != "" {
		t.Error(diff)
	}
}
