package fuel_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"horizon-realtime/router/fuel"
)

// goGuest is testdata/jsonguest as the standard Go toolchain builds it.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "fuel")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/jsonguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

func buildGoGuest(tb testing.TB) []byte {
	tb.Helper()
	b, err := goGuest()
	if err != nil {
		tb.Fatalf("build the Go guest: %v", err)
	}
	return b
}

// newGuest instantiates a module that may import WASI, and initialises it.
func newGuest(tb testing.TB, binary []byte) (api.Module, *gauge) {
	tb.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	tb.Cleanup(func() { r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	p := newPump(tb, r)
	m, err := r.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		tb.Fatal(err)
	}
	var g *gauge
	if m.ExportedGlobal(fuel.Global) != nil {
		g = p.attach(m, plenty)
	}
	if f := m.ExportedFunction("_initialize"); f != nil {
		if _, err := f.Call(ctx); err != nil {
			tb.Fatal(err)
		}
	}
	return m, g
}

func BenchmarkInstrument(b *testing.B) {
	guest := buildGoGuest(b)
	b.SetBytes(int64(len(guest)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := fuel.Instrument(guest, fuel.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSON(b *testing.B) { compare(b, "decode") }
func BenchmarkTightLoop(b *testing.B)  { compare(b, "spin", 100_000) }

// BenchmarkHostile says how long a unit of fuel can be made to last: the figures
// show what the costs in opcode.go are right for.
func BenchmarkHostile(b *testing.B) {
	const units = 10_000_000
	for name, p := range hostileModules() {
		b.Run(name, func(b *testing.B) {
			m, counter := instantiate(b, p.bytes(), 0)
			f := m.ExportedFunction("run")
			for b.Loop() {
				counter.Set(units)
				if _, err := f.Call(b.Context()); err == nil {
					b.Fatal("it ended by itself")
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/units, "ns/unit")
		})
	}
}

// compare runs an export of the Go guest as it is and rewritten, in turns so
// that what else the machine does falls on both, and reports the ratio of the
// medians as x-plain.
func compare(b *testing.B, export string, args ...uint64) {
	ctx := context.Background()
	guest := buildGoGuest(b)
	rewritten, _, err := fuel.Instrument(guest, fuel.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	plain, _ := newGuest(b, guest)
	metered, counter := newGuest(b, rewritten)
	calls := [2]api.Function{plain.ExportedFunction(export), metered.ExportedFunction(export)}
	var took [2][]time.Duration
	used := uint64(0)
	for b.Loop() {
		counter.Set(plenty)
		for i, f := range calls {
			start := time.Now()
			if _, err := f.Call(ctx, args...); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
		used += plenty - counter.Get()
	}
	for i := range took {
		slices.Sort(took[i])
	}
	middle := len(took[0]) / 2
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[0][middle]), "plain-ns")
	b.ReportMetric(float64(took[1][middle])/float64(took[0][middle]), "x-plain")
	b.ReportMetric(float64(used)/float64(len(took[0])), "fuel")
}
