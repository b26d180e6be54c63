package plugin

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

// FuzzAdmit changes modules and wants that judging one never panics, that a
// refusal is a sentence of one line, and that what is admitted has what the host
// is going to call, and nothing but its functions to call itself.
func FuzzAdmit(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testplugins", "*", "plugin.wat"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 4_000 && !strings.HasPrefix(string(text), ";; assembled unchecked") && !strings.Contains(string(text), "shared") {
			f.Add(assemble(f, string(text)))
		}
	}
	f.Add(shipping(assemble(f, saying("1")), `[{"about": "x", "notification": `+resized+`}]`))
	c := DefaultConfig()
	c.Dir, c.CacheDir = f.TempDir(), "none"
	h, err := New(c, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	defer h.Close()
	f.Fuzz(func(t *testing.T, module []byte) {
		_, _ = readSelfTests(fuel.Custom(module, abi.SelfTests))
		filter := &filter{Name: "a", limits: c.limitsFor(Settings{})}
		instrumented, err := h.admit(filter, module)
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
