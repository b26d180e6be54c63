package plugintool

import (
	"os"
	"strings"
	"testing"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/clitest"
)

// TestConformance runs the conformance plugin of the Go SDK, right and then
// wrong in many places, each of which the case about it has to find.
func TestConformance(t *testing.T) {
	right, err := os.ReadFile("../../../sdk/conformance/filter/main.go")
	if err != nil {
		t.Fatal(err)
	}
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new conformance")
	build := func(source string) {
		d.Write("conformance/main.go", source)
		d.Must("conformance", "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o 50-conformance.wasm .")
	}
	build(string(right))
	d.Must("conformance", "horizon-realtime plugin test --conformance 50-conformance.wasm")
	d.Fails("conformance", "horizon-realtime plugin test --conformance .", cli.Usage, "name a .wasm")

	wrong := string(right)
	var found []string
	for _, mistake := range []struct{ before, after, found string }{
		{`"k1"`, `"k2"`, `emission 0 key: got "k2", want "k1"`},
		{"e.EmitRemoved(", "e.Emit(", "emission 2 removed: got false, want true"},
		{`case "hush":`, `case "hush-hush":`, "step 1: stopped: got false, want true"},
		{"sdk.Debug, ", "", `it logged ["info: look`},
		{"return errors.New(refuse.Text())", "_ = errors.New", "it starts, and should refuse to"},
		{`panic("told to")`, "return", "the call went well, and should fail"},
		{`"conformance.exact"}`, `"conformance.*"}`, "called for conformance.exactly: true, want false"},
		{`m.Int("zero", 0)`, `m.Int("naught", 0)`, "/naught: got 0, want nothing"},
		{"count++", "count++\n\tkept = append(kept, make([]byte, 1<<16))", "FAILED  memory"},
		{`sdk.User(e.User(), "second")`, `sdk.User("u1", "second")`, "would not publish to user/u1/second"},
	} {
		if !strings.Contains(wrong, mistake.before) {
			t.Fatalf("the plugin has no %q", mistake.before)
		}
		wrong = strings.Replace(wrong, mistake.before, mistake.after, 1)
		found = append(found, mistake.found)
	}
	build(wrong + "\nvar kept [][]byte\n")
	d.Fails("conformance", "horizon-realtime plugin test --conformance 50-conformance.wasm", cli.Failure, found...)
}
