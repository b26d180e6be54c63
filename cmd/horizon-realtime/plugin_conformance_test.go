package main

import (
	"os"
	"strings"
	"testing"
)

// TestConformance runs the conformance filter of the Go SDK, right and then
// wrong in one place each, which the case about that place has to find.
func TestConformance(t *testing.T) {
	right, err := os.ReadFile("../../sdk/conformance/filter/main.go")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	d.filter("conformance", "package main", "package main")
	build := func(source string) {
		d.write("conformance/main.go", source)
		d.must("conformance", "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o 50-conformance.wasm .")
	}
	build(string(right))
	d.must("conformance", "horizon-realtime plugin test --conformance 50-conformance.wasm")
	d.fails("conformance", "horizon-realtime plugin test --conformance .", exitUsage, "name a .wasm")

	for _, c := range []struct{ before, after, failed string }{
		{`"k1"`, `"k2"`, `emission 0 key: got "k2", want "k1"`},
		{"e.EmitRemoved(", "e.Emit(", "emission 2 removed: got false, want true"},
		{`case "hush":`, `case "hush-hush":`, "step 1: stopped: got false, want true"},
		{"sdk.Debug, ", "", `it logged ["info: look`},
		{"strings.TrimPrefix(", "strings.TrimSuffix(", "emission 0: got none, want"},
		{"errors.New(refuse.Text())", "nil", "it starts, and should refuse to"},
		{`panic("told to")`, "return", "the call went well, and should fail"},
		{`"conformance.exact"}`, `"conformance.*"}`, "called for conformance.exactly: true, want false"},
		{"m.Value(\"value\", v)", "m.Value(\"value\", v)\n\tm.Value(\"more\", v)", `/more: got`},
		{"count++", "count += 2", "emission 0 payload /count: got 2, want 1"},
	} {
		t.Run(c.after, func(t *testing.T) {
			d.t = t
			wrong := strings.Replace(string(right), c.before, c.after, 1)
			if wrong == string(right) {
				t.Fatalf("the filter has no %q", c.before)
			}
			build(wrong)
			d.fails("conformance", "horizon-realtime plugin test --conformance 50-conformance.wasm", exitFailure, "FAILED", c.failed)
		})
	}
}
