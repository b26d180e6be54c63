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
		instrumented, err := admit(module, "a", &limits)
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
