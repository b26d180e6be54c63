package fuel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"horizon-realtime/router/fuel"
)

// FuzzInstrument changes modules of the specification and wants that rewriting
// one never panics, that the engine takes a rewritten module exactly where it
// takes the original, that both then do the same, and that it is paid for.
func FuzzInstrument(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(specFolder(f), "v2", "testdata", "*.0.wasm"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) <= 2_000 {
			f.Add(b)
		}
	}
	f.Add(unwinding().bytes())
	f.Add(mutualRecursion().bytes())
	f.Fuzz(func(t *testing.T, original []byte) {
		limits := fuel.DefaultLimits()
		limits.MemoryPages, limits.TableEntries = 16, 1_000
		rewritten, info, err := fuel.Instrument(original, limits)
		if err != nil {
			return
		}
		ctx := context.Background()
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(16))
		defer r.Close(ctx)
		plain, plainErr := r.CompileModule(ctx, withoutCustom(original))
		metered, meteredErr := r.CompileModule(ctx, rewritten)
		if (plainErr == nil) != (meteredErr == nil) {
			t.Fatalf("as it is: %v, rewritten: %v", plainErr, meteredErr)
		}
		if plainErr != nil || len(info.Imports) > 0 || info.Start {
			return
		}
		byStretch, _, err := fuel.InstrumentStretches(original, limits)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := r.CompileModule(ctx, byStretch)
		if err != nil {
			t.Fatal(err)
		}
		compareRuns(t, r, newPump(t, r), plain, metered, exact, info)
	})
}

// withoutCustom leaves out the custom sections, as the rewriter does: the engine
// allocates by what a name section declares, gigabytes if need be.
func withoutCustom(module []byte) []byte {
	b := slices.Clone(module[:8])
	for rest := module[8:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		all := 1 + n + int(size)
		if rest[0] != 0 {
			b = append(b, rest[:all]...)
		}
		rest = rest[all:]
	}
	return b
}

// compareRuns calls what both modules export, in order and as long as that
// takes little fuel: the plain module is only run where the metered one says
// that it comes to an end. What that took is compared with the exact one's.
func compareRuns(t *testing.T, r wazero.Runtime, pump pump, plain, metered, exact wazero.CompiledModule, info *fuel.Info) {
	ctx := context.Background()
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	a, errA := r.InstantiateModule(ctx, plain, config)
	b, errB := r.InstantiateModule(ctx, metered, config)
	if (errA == nil) != (errB == nil) {
		t.Fatalf("instantiate: as it is: %v, rewritten: %v", errA, errB)
	}
	if errA != nil {
		return
	}
	c, err := r.InstantiateModule(ctx, exact, config)
	if err != nil {
		t.Fatal(err)
	}
	counter, work := pump.attach(b, 0), pump.attach(c, 0)
	for _, e := range info.Exports {
		if e.Kind != fuel.KindFunction || slices.ContainsFunc(slices.Concat(e.Func.Params, e.Func.Results), notNumber) {
			continue
		}
		args := make([]uint64, len(e.Func.Params))
		for i := range args {
			args[i] = uint64(i + 3)
		}
		counter.Set(50_000)
		got, gotErr := b.ExportedFunction(e.Name).Call(ctx, args...)
		if errors.Is(gotErr, fuel.ErrFuel) || errors.Is(gotErr, fuel.ErrStack) {
			return // the plain one is somewhere else now, if it ends at all
		}
		work.Set(50_000)
		_, exactErr := c.ExportedFunction(e.Name).Call(ctx, args...)
		if gotErr == nil && (exactErr != nil || work.Get() < counter.Get()) {
			t.Fatalf("%s: %d units were left, %d of work to be paid (%v)", e.Name, counter.Get(), work.Get(), exactErr)
		}
		want, wantErr := a.ExportedFunction(e.Name).Call(ctx, args...)
		if (gotErr == nil) != (wantErr == nil) || gotErr != nil && cause(gotErr) != cause(wantErr) {
			t.Fatalf("%s: as it is: %v, rewritten: %v", e.Name, wantErr, gotErr)
		}
		for i := range want {
			if !same(e.Func.Results[i].String(), got[i], want[i]) {
				t.Fatalf("%s: as it is: %x, rewritten: %x", e.Name, want, got)
			}
		}
	}
	if info.Memory != nil {
		x, _ := a.Memory().Read(0, a.Memory().Size())
		y, _ := b.Memory().Read(0, b.Memory().Size())
		if !slices.Equal(x, y) {
			t.Fatal("the memories differ")
		}
	}
}

func notNumber(t fuel.ValueType) bool {
	return t == fuel.V128 || t == fuel.FuncRef || t == fuel.ExternRef
}
