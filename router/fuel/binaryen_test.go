package fuel_test

import (
	"context"
	"errors"
	"flag"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

var (
	binaryenModules = flag.Int("binaryen.modules", 60, "how many of Binaryen's modules to compare")
	binaryenFirst   = flag.Int("binaryen.first", 0, "the seed of the first of them")
)

// TestBinaryenModules lets Binaryen make modules of random bytes, and compares what
// they do as they are with what they do rewritten, in the engine's interpreter
// and in its compiler.
func TestBinaryenModules(t *testing.T) {
	if _, err := exec.LookPath("wasm-opt"); err != nil {
		t.Fatal("wasm-opt is not installed; it is in Debian's package binaryen, which make test installs")
	}
	compared, calls := 0, 0
	for seed := *binaryenFirst; seed < *binaryenFirst+*binaryenModules; seed++ {
		n := compareEngines(t, seed, binaryenModule(t, seed))
		if n > 0 {
			compared++
		}
		calls += n
	}
	t.Logf("%d of %d modules compared, %d calls", compared, *binaryenModules, calls)
	if compared < *binaryenModules*3/4 {
		t.Errorf("only %d of %d modules could be compared", compared, *binaryenModules)
	}
}

// binaryenModule makes a module out of the random bytes of a seed. It has no NaNs:
// which of them an operation gives, WebAssembly leaves to the engine.
func binaryenModule(t *testing.T, seed int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	text := make([]byte, 500+random.IntN(4000))
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.wasm")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("wasm-opt", in, "--translate-to-fuzz", "--denan", "--mvp-features", "--enable-sign-ext", "--enable-mutable-globals",
		"--enable-nontrapping-float-to-int", "--enable-bulk-memory", "--enable-multivalue", "-o", out).CombinedOutput()
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, said)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// compareEngines returns how many calls it compared, 0 if the module cannot be
// compared: it is not admitted, imports more than functions of numbers, or takes
// so much fuel that it may never end as it is.
func compareEngines(t *testing.T, seed int, module []byte) (calls int) {
	t.Helper()
	rewritten, info, err := fuel.Instrument(module, fuel.DefaultLimits())
	if err != nil {
		t.Logf("seed %d is not admitted: %v", seed, err)
		return 0
	}
	var want []string
	for _, engine := range []wazero.RuntimeConfig{wazero.NewRuntimeConfigInterpreter(), wazero.NewRuntimeConfig()} {
		metered := runExports(t, engine, rewritten, info, true)
		if metered == nil {
			return 0
		}
		plain := runExports(t, engine, module, info, false)
		if !slices.Equal(metered, plain) {
			t.Errorf("seed %d: as it is %q\nrewritten %q", seed, plain, metered)
		}
		if want != nil && !slices.Equal(want, metered) {
			t.Errorf("seed %d: interpreted %q\ncompiled %q", seed, want, metered)
		}
		want = metered
	}
	return len(want)
}

// runExports calls each exported function once, and describes what it answers
// and what the memory is in the end; nil if that says nothing.
func runExports(t *testing.T, engine wazero.RuntimeConfig, module []byte, info *fuel.Info, metered bool) (lines []string) {
	t.Helper()
	const units = 3_000_000
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, engine)
	defer r.Close(ctx)
	p := newPump(t, r)
	if !provideZeros(ctx, r, info) {
		return nil
	}
	m, err := r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return []string{"not instantiated"} // the engine's reason differs from that of the start it now does not run
	}
	refuel := func() {}
	if metered {
		g := p.attach(m, 0)
		refuel = func() { g.Set(units) }
	}
	if start := m.ExportedFunction(fuel.Start); start != nil {
		refuel()
		if _, err := start.Call(ctx); err != nil {
			return nil
		}
	}
	for _, e := range info.Exports {
		if e.Kind != fuel.KindFunction || slices.ContainsFunc(slices.Concat(e.Func.Params, e.Func.Results), notNumber) {
			continue
		}
		args := make([]uint64, len(e.Func.Params))
		for i := range args {
			args[i] = uint64(i + 3)
		}
		refuel()
		results, err := m.ExportedFunction(e.Name).Call(ctx, args...)
		if errors.Is(err, fuel.ErrFuel) || errors.Is(err, fuel.ErrStack) {
			return nil
		}
		lines = append(lines, e.Name+": "+outcome(results, err, e.Func.Results))
	}
	if memory := m.Memory(); memory != nil {
		bytes, _ := memory.Read(0, memory.Size())
		lines = append(lines, "memory: "+strconv.Itoa(len(bytes))+" "+strconv.FormatUint(uint64(crc32.ChecksumIEEE(bytes)), 16))
	}
	return lines
}

// provideZeros offers a module functions that return zeros; false if it imports
// anything else.
func provideZeros(ctx context.Context, r wazero.Runtime, info *fuel.Info) bool {
	hosts := map[string]wazero.HostModuleBuilder{}
	for _, i := range info.Imports {
		if i.Kind != fuel.KindFunction || slices.ContainsFunc(slices.Concat(i.Func.Params, i.Func.Results), notNumber) {
			return false
		}
		if hosts[i.Module] == nil {
			hosts[i.Module] = r.NewHostModuleBuilder(i.Module)
		}
		results := len(i.Func.Results)
		zeros := api.GoFunc(func(_ context.Context, stack []uint64) { clear(stack[:results]) })
		hosts[i.Module].NewFunctionBuilder().WithGoFunction(zeros, apiTypes(i.Func.Params), apiTypes(i.Func.Results)).Export(i.Name)
	}
	for _, h := range hosts {
		if _, err := h.Instantiate(ctx); err != nil {
			return false
		}
	}
	return true
}

func apiTypes(of []fuel.ValueType) []api.ValueType {
	to := make([]api.ValueType, len(of))
	for i, v := range of {
		to[i] = api.ValueType(v)
	}
	return to
}

// outcome describes a call.
func outcome(results []uint64, err error, types []fuel.ValueType) (line string) {
	if err != nil {
		return cause(err)
	}
	for i, v := range results {
		if types[i] == fuel.I32 || types[i] == fuel.F32 {
			v = uint64(uint32(v))
		}
		line += " " + strconv.FormatUint(v, 16)
	}
	return line
}
