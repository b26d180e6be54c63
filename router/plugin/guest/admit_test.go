package guest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
)

// FuzzAdmit changes modules and wants that judging one never panics, that a
// refusal is a sentence of one line, and that what is admitted has what the host
// is going to call, and imports nothing but the host's functions.
func FuzzAdmit(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "testplugins", "*", "plugin.wat"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 4_000 && !strings.HasPrefix(string(text), ";; assembled unchecked") && !strings.Contains(string(text), "shared") {
			f.Add(guesttest.Assemble(f, string(text)))
		}
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		limits := testLimits()
		instrumented, _, err := admit(module, "a", &limits)
		if err != nil {
			if text := err.Error(); strings.ContainsAny(text, "\n\x00") || !utf8.ValidString(text) || len(text) > 2_000 {
				t.Errorf("a refusal is not one line: %.3000q", text)
			}
			return
		}
		_, info, err := fuel.Instrument(module, fuel.DefaultLimits())
		if err != nil {
			t.Fatalf("it is admitted, and refused: %s", err)
		}
		for _, name := range []string{abi.Marker, abi.Init, abi.Event} {
			if e := info.Export(name); e == nil || e.Kind != fuel.KindFunction {
				t.Errorf("%s is no function", name)
			}
		}
		for _, i := range info.Imports {
			if _, ok := functionsOf(i.Module)[i.Name]; !ok || i.Kind != fuel.KindFunction {
				t.Errorf("it gets %s.%s", i.Module, i.Name)
			}
		}
		if len(instrumented) < len("\x00asm\x01\x00\x00\x00") {
			t.Error("nothing is left of it")
		}
	})
}

// A module that cannot run here is refused before it is compiled, with a sentence
// that says how to build it.
func TestAdmitRefusals(t *testing.T) {
	change := func(pairs ...string) []byte {
		return guesttest.Assemble(t, strings.NewReplacer(pairs...).Replace(guesttest.Silent("on compute.*\n")))
	}
	const sdk = "(GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)"
	for name, c := range map[string]struct {
		code []byte
		want string
	}{
		"text":            {[]byte("hello"), "it is no WebAssembly module; build one " + sdk},
		"cut off":         {change()[:40], "it is not admitted: module: section 2: it ends in the middle of a value; build it again, smaller or with a supported toolchain"},
		"no marker":       {change("hr_abi_1", "x"), `it has no export "hr_abi_1", so it is no plugin for this router; build it with the sdk ` + sdk},
		"another version": {change("hr_abi_1", "hr_abi_9"), "it speaks version 9 of the plugin ABI, the router version 1; rebuild it with this router's sdk"},
		"no event":        {change("hr_event", "x"), `it has no export "hr_event"; export a function () -> i64`},
		"event's type":    {change(`(func (export "hr_event") (result i64) (i64`, `(func (export "hr_event") (result i32) (i32`, "35184372088832", "0"), `its export "hr_event" has the type () -> i32; it must be () -> i64`},
		"a program":       {change("(func (export \"hr_abi_1\"))", "(func (export \"hr_abi_1\")) (func (export \"_start\"))"), `it exports "_start", so it is a program and not a reactor; build it with -buildmode=c-shared`},
		"no memory":       {change(`(export "memory")`, ""), `it has no exported memory "memory"; export its memory under that name`},
		"large memory":    {change(`(export "memory") 1`, `(export "memory") 33`), "memory 2162688 bytes is over the limit of 2097152; raise [plugin.a] memory"},
		"foreign import":  {change(`"hr" "subscribe"`, `"env" "subscribe"`), `it imports env.subscribe, but a plugin gets functions of "hr" and "wasi_snapshot_preview1" only; build it without that (AssemblyScript: --use abort=)`},
		"unknown import":  {change(`"hr" "subscribe"`, `"hr" "shutdown"`), "it imports hr.shutdown, which this router does not have; rebuild it with this router's sdk"},
		"import's type":   {change(`"hr" "subscribe"`, `"hr" "raw"`), "it imports hr.raw with the type (i32, i32), but it has the type (i32, i32) -> i32; rebuild it with this router's sdk"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := testLimits()
			limits.MemoryBytes = 2 << 20
			_, _, err := admit(c.code, "a", &limits)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
