package fuel_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

// budget is what a hostile module gets: a few milliseconds.
const budget = 1_000_000

// instantiate rewrites a module and gives it fuel. Nothing of it has run yet.
func instantiate(tb testing.TB, binary []byte, units uint64) (api.Module, *gauge) {
	tb.Helper()
	rewritten, _, err := fuel.Instrument(binary, fuel.DefaultLimits())
	if err != nil {
		tb.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	tb.Cleanup(func() { r.Close(ctx) })
	p := newPump(tb, r)
	if _, err := r.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(hostFunction).Export("call").Instantiate(ctx); err != nil {
		tb.Fatal(err)
	}
	m, err := r.Instantiate(ctx, rewritten)
	if err != nil {
		tb.Fatal(err)
	}
	return m, p.attach(m, units)
}

// hostCalls counts the calls of the tests' only host function, which takes the
// fuel of a module that is cut off.
var (
	hostCalls int
	cutOff    *gauge
)

func hostFunction() {
	hostCalls++
	if cutOff != nil {
		cutOff.empty()
	}
}

// withMemory adds a memory of 16 to 16 pages and a segment of 64 KiB.
func withMemory(p parts) parts {
	p.memory = op(0, 16)
	p.data = [][]byte{slices.Concat(op(1), leb(65536), make([]byte, 65536))}
	return p
}

func withTable(p parts) parts {
	p.tables = [][]byte{slices.Concat(op(funcref, 0), leb(10_000))}
	p.elements = [][]byte{slices.Concat(op(1, 0), leb(10_000), make([]byte, 10_000))}
	return p
}

// callTree is a chain of functions that call the next one twice each: 2^depth
// calls without a loop or a recursion.
func callTree(depth byte) parts {
	p := parts{types: [][]byte{funcType(nil, nil)}, exports: [][]byte{export("run", 0, 0)}}
	for i := range depth {
		p.funcs = append(p.funcs, 0)
		if i+1 < depth {
			p.bodies = append(p.bodies, code(call(i+1), call(i+1)))
		} else {
			p.bodies = append(p.bodies, code())
		}
	}
	return p
}

func mutualRecursion() parts {
	p := withTable(running(constant(1), op(0x11, 0, 0)))
	p.funcs = []byte{0, 0}
	p.bodies = append(p.bodies, code(constant(0), op(0x11, 0, 0)))
	p.elements = [][]byte{slices.Concat(op(0), constant(0), op(0x0b, 2, 0, 1))}
	return p
}

// unwinding recurses as far as fuel allows to pay for the way down only, if the
// way up were not looked at: each frame then does much that stands behind a
// branch.
func unwinding() parts {
	work := slices.Repeat(op(0x23, 0, 0x41, 1, 0x6a, 0x24, 0), 2_000) // work++
	p := parts{
		types:   [][]byte{funcType([]byte{i32}, nil), funcType(nil, nil)},
		funcs:   []byte{0, 1},
		globals: [][]byte{slices.Concat(op(i32, 1), constant(0), op(0x0b))},
		exports: [][]byte{export("run", 0, 1), export("work", 3, 0)},
	}
	p.bodies = [][]byte{
		code(
			op(0x20, 0, 0x04, void), op(0x20, 0), constant(1), op(0x6b), call(0), op(0x0b), // if n { f(n-1) }
			op(0x02, void), op(0x20, 0), constant(-1), op(0x46, 0x0d, 0), work, op(0x0b), // if n != -1 { work }
		),
		code(constant(30_000), call(0)),
	}
	return p
}

// hostileModules do not end by themselves.
func hostileModules() map[string]parts {
	page := constant(65536)
	return map[string]parts{
		"empty loop":                 running(inLoop()),
		"loop that is left never":    running(op(0x03, void), constant(1), op(0x0d, 0, 0x0b)),
		"loop in a loop":             running(inLoop(inLoop())),
		"loop by br_table":           running(op(0x03, void, 0x02, void), constant(7), op(0x0e, 2, 1, 0, 1, 0x0b, 0x0c, 0, 0x0b)),
		"loop that continues early":  running(inLoop(constant(1), op(0x04, void, 0x0c, 1, 0x0b))),
		"loop of calls":              {types: [][]byte{funcType(nil, nil)}, funcs: []byte{0, 0}, exports: [][]byte{export("run", 0, 0)}, bodies: [][]byte{code(inLoop(call(1))), code()}},
		"call tree":                  callTree(60),
		"mutual recursion by table":  mutualRecursion(),
		"way up of a recursion":      unwinding(),
		"memory.fill":                withMemory(running(inLoop(constant(0), constant(0), page, op(0xfc, 11, 0)))),
		"memory.copy":                withMemory(running(inLoop(constant(1), constant(0), page, op(0xfc, 10, 0, 0)))),
		"memory.init":                withMemory(running(inLoop(constant(1), constant(0), page, op(0xfc, 8, 0, 0)))),
		"memory.grow by nothing":     withMemory(running(inLoop(constant(0), op(0x40, 0, 0x1a)))),
		"memory.grow by too much":    withMemory(running(inLoop(constant(-1), op(0x40, 0, 0x1a)))),
		"memory.grow":                withMemory(running(inLoop(constant(1), op(0x40, 0, 0x1a)))),
		"table.fill":                 withTable(running(inLoop(constant(0), op(0xd0, funcref), constant(10_000), op(0xfc, 17, 0)))),
		"table.copy":                 withTable(running(inLoop(constant(1), constant(0), constant(9_999), op(0xfc, 14, 0, 0)))),
		"table.init":                 withTable(running(inLoop(constant(0), constant(0), constant(10_000), op(0xfc, 12, 0, 0)))),
		"table.grow":                 withTable(running(inLoop(op(0xd0, funcref), constant(1), op(0xfc, 15, 0, 0x1a)))),
		"references made":            running(inLoop(op(0xd2, 0, 0x1a))),
		"length without sign":        withMemory(running(constant(0), constant(0), constant(-1), op(0xfc, 11, 0))),
		"loop after a dead end":      running(op(0x02, void, 0x0c, 0, 0x00, 0x0b), inLoop()),
		"loop in the arm of an else": running(constant(0), op(0x04, void, 0x05), inLoop(), op(0x0b)),
	}
}

func TestHostileModulesRunOutOfFuel(t *testing.T) {
	for name, p := range hostileModules() {
		t.Run(name, func(t *testing.T) {
			m, counter := instantiate(t, p.bytes(), budget)
			_, err := m.ExportedFunction("run").Call(t.Context())
			if !errors.Is(err, fuel.ErrFuel) && !errors.Is(err, fuel.ErrStack) {
				t.Fatalf("got %v, want the end of a spent budget", err)
			}
			if left := int64(counter.Get()); errors.Is(err, fuel.ErrFuel) && left >= 0 {
				t.Errorf("%d units were left at the end", left)
			}
			if g := m.ExportedGlobal("work"); g != nil && g.Get() > budget/4 {
				t.Errorf("%d turns of 4 instructions were made with %d units", g.Get(), budget)
			}
		})
	}
}

// A recursion that does nothing else overflows the engine's stack or spends its
// fuel; either ends it.
func TestEndlessRecursionEnds(t *testing.T) {
	for _, units := range []uint64{budget, plenty} {
		m, _ := instantiate(t, running(call(0)).bytes(), units)
		if _, err := m.ExportedFunction("run").Call(t.Context()); err == nil {
			t.Errorf("with %d units: an endless recursion returned", units)
		}
	}
}

func TestHostCallsAreCharged(t *testing.T) {
	p := running(inLoop(call(0)))
	p.imports = [][]byte{slices.Concat(leb(4), []byte("host"), leb(4), []byte("call"), op(0, 0))}
	p.exports = [][]byte{export("run", 0, 1)}
	m, counter := instantiate(t, p.bytes(), budget)
	hostCalls = 0
	if _, err := m.ExportedFunction("run").Call(t.Context()); err == nil || int64(counter.Get()) >= 0 {
		t.Fatalf("got %v with %d units left", err, int64(counter.Get()))
	}
	if hostCalls == 0 || hostCalls > budget/50 {
		t.Errorf("%d host calls were made with %d units", hostCalls, budget)
	}
}

func TestNothingRunsBeforeThereIsFuel(t *testing.T) {
	p := running(inLoop())
	p.start = op(0)
	m, counter := instantiate(t, p.bytes(), 0) // an instance: the start function has not run
	for _, name := range []string{"run", fuel.Start} {
		counter.Set(0)
		if _, err := m.ExportedFunction(name).Call(t.Context()); err == nil || int64(counter.Get()) >= 0 {
			t.Errorf("%s: got %v with %d units left", name, err, int64(counter.Get()))
		}
	}
}

// What fails to grow is cheap: it is how an allocator learns that there is no
// more, and the guest must get to say so.
func TestFailedGrowthIsCheap(t *testing.T) {
	p := withMemory(running(constant(-1), op(0x40, 0, 0x1a)))
	m, counter := instantiate(t, p.bytes(), budget)
	if _, err := m.ExportedFunction("run").Call(t.Context()); err != nil || counter.Get() < budget-1_000 {
		t.Errorf("got %v with %d of %d units left", err, int64(counter.Get()), budget)
	}
}

func TestFuelIsDeterministic(t *testing.T) {
	rewritten, _, err := fuel.Instrument(buildGoGuest(t), fuel.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var used [2]uint64
	for i := range used {
		m, counter := newGuest(t, rewritten)
		if _, err := m.ExportedFunction("spin").Call(t.Context(), 1_000); err != nil {
			t.Fatal(err)
		}
		used[i] = plenty - counter.Get()
	}
	if used[0] != used[1] || used[0] < 1_000 {
		t.Errorf("two equal runs took %d units", used)
	}
}

// descending calls itself as often as its argument says and comes back: by the
// end of its body, by a return, or by a branch out of it, as way has it.
func descending(way []byte) parts {
	p := parts{
		types:   [][]byte{funcType([]byte{i32}, nil)},
		funcs:   []byte{0},
		exports: [][]byte{export("run", 0, 0)},
	}
	p.bodies = [][]byte{code(
		op(0x20, 0, 0x04, void), op(0x20, 0), constant(1), op(0x6b), call(0), op(0x0b), // if n { f(n-1) }
		way,
	)}
	return p
}

// waysOut are the ways in which a function can be left.
var waysOut = map[string][]byte{
	"end":                   nil,
	"return":                op(0x0f),
	"branch":                op(0x0c, 0),
	"return in an arm":      op(0x41, 1, 0x04, void, 0x0f, 0x0b),
	"branch out of a block": op(0x02, void, 0x41, 1, 0x0d, 1, 0x0b, 0x00),
	"return from a loop":    op(0x03, void, 0x0f, 0x0b),
}

// A frame's deposit is held while it is on the stack, and given back whichever
// way it is left.
func TestDepositsComeBack(t *testing.T) {
	for name, way := range waysOut {
		t.Run(name, func(t *testing.T) {
			m, counter := instantiate(t, descending(way).bytes(), plenty)
			run := m.ExportedFunction("run")
			used := func(depth, units uint64) uint64 {
				counter.Set(units)
				if _, err := run.Call(t.Context(), depth); err != nil {
					t.Fatalf("%d calls deep with %d units: %v", depth, units, err)
				}
				return units - counter.Get()
			}
			one, thousand := used(1, plenty), used(1_000, plenty)
			if each := (thousand - one) / 999; each == 0 || each > 50 {
				t.Errorf("a call takes %d units for good, of a few instructions", each)
			}
			if held := fuel.Values(int64(counter.counter.Get())); held != 0 {
				t.Errorf("%d values are still held", held)
			}
			counter.Set(plenty)
			if _, err := run.Call(t.Context(), 1_000_000); !errors.Is(err, fuel.ErrStack) {
				t.Errorf("a million calls deep: %v", err)
			}
		})
	}
}

// A recursion whose fuel is gone at its deepest does not get far on its way up,
// whichever way its frames are left.
func TestWayUpIsLookedAt(t *testing.T) {
	defer func() { cutOff = nil }()
	for name, way := range waysOut {
		t.Run(name, func(t *testing.T) {
			p := descending(nil)
			p.imports = [][]byte{slices.Concat(leb(4), []byte("host"), leb(4), []byte("call"), op(0, 1))}
			p.types = append(p.types, funcType(nil, nil))
			p.globals = [][]byte{slices.Concat(op(i32, 1), constant(0), op(0x0b))}
			p.exports = [][]byte{export("run", 0, 1), export("work", 3, 0)}
			p.bodies[0] = code(
				op(0x20, 0, 0x04, void), op(0x20, 0), constant(1), op(0x6b), call(1), op(0x05), call(0), op(0x0b), // if n { f(n-1) } else { host() }
				op(0x23, 0), constant(1), op(0x6a, 0x24, 0), way,
			)
			m, counter := instantiate(t, p.bytes(), plenty)
			cutOff = counter
			_, err := m.ExportedFunction("run").Call(t.Context(), 1_000)
			if !errors.Is(err, fuel.ErrFuel) {
				t.Fatalf("got %v, want the end of a spent budget", err)
			}
			if frames := m.ExportedGlobal("work").Get(); frames > 2 {
				t.Errorf("%d of 1000 frames ran what was left of them", frames)
			}
		})
	}
}

// A stack has a bound, though the way down costs next to nothing. Each of these
// frames has more than a thousand bytes: values that a call stands between.
func TestStackIsBounded(t *testing.T) {
	var pushes, drops []byte
	for range 150 {
		pushes = append(pushes, op(0x23, 0)...)
		drops = append(drops, op(0x24, 0)...)
	}
	p := running(op(0x23, 0), constant(1), op(0x6a, 0x24, 0), pushes, call(0), drops) // work++
	p.globals = [][]byte{slices.Concat(op(i32, 1), constant(0), op(0x0b))}
	p.exports = append(p.exports, export("work", 3, 0))
	m, counter := instantiate(t, p.bytes(), 30_000_000)
	if _, err := m.ExportedFunction("run").Call(t.Context()); !errors.Is(err, fuel.ErrStack) {
		t.Fatalf("got %v, want the end of a call that is too deep", err)
	}
	if deep := m.ExportedGlobal("work").Get(); deep < 1_000 || deep > 4_000 {
		t.Errorf("%d frames with %d units left", deep, counter.Get())
	}
}

// Code that goes on for long without a loop or a call is as much for sale by the
// slice as any: straight on, in arms that are taken, and from a jump on.
func TestLongCodeIsInterrupted(t *testing.T) {
	load := slices.Concat(constant(0), op(0x28, 0, 0, 0x1a)) // 9 units
	long := slices.Repeat(load, 80_000)
	for name, body := range map[string][]byte{
		"straight on": long,
		"arms":        slices.Repeat(slices.Concat(op(0x41, 1, 0x04, void), slices.Repeat(load, 100), op(0x0b)), 800),
		"jump table":  slices.Concat(op(0x02, void, 0x02, void, 0x02, void, 0x41, 1, 0x0e, 2, 0, 1, 2, 0x0b), load, op(0x0b), long, op(0x0b)),
	} {
		t.Run(name, func(t *testing.T) {
			m, counter := instantiate(t, withMemory(running(body)).bytes(), plenty)
			if _, err := m.ExportedFunction("run").Call(t.Context()); err != nil {
				t.Fatal(err)
			}
			if used := plenty - counter.Get(); used < 9*80_000 || counter.refills < int(used/fuel.Slice) {
				t.Errorf("%d units were used with %d refills", used, counter.refills)
			}
		})
	}
}

// What works on much memory does so in chunks, with the same outcome.
func TestLargeFillsAreInterrupted(t *testing.T) {
	size := 9<<20 + 5
	all := func(operation []byte) parts {
		p := running(op(0x20, 0, 0x20, 1, 0x20, 2), operation)
		p.types = [][]byte{funcType(op(i32, i32, i32), nil)}
		p.memory = slices.Concat(op(0), leb(256))
		p.exports = append(p.exports, export("memory", 2, 0))
		segment := make([]byte, 3<<20)
		for i := range segment {
			segment[i] = byte(i % 251)
		}
		p.data = [][]byte{slices.Concat(op(1), leb(len(segment)), segment)}
		return p
	}
	fill, copying, initialize := op(0xfc, 11, 0), op(0xfc, 10, 0, 0), op(0xfc, 8, 0, 0)
	for _, tt := range []struct {
		name      string
		operation []byte
		args      []uint64
		ok        bool
	}{
		{"fill", fill, []uint64{3, 7, uint64(size)}, true},
		{"fill of all", fill, []uint64{0, 9, 16 << 20}, true},
		{"fill past the end", fill, []uint64{1, 9, 16 << 20}, false},
		{"fill past 4 GiB", fill, []uint64{1 << 31, 9, 1<<31 + 5<<20}, false},
		{"copy downwards", copying, []uint64{5, 2<<20 + 1, uint64(size)}, true},
		{"copy upwards", copying, []uint64{2<<20 + 1, 5, uint64(size)}, true},
		{"copy onto itself", copying, []uint64{17, 17, uint64(size)}, true},
		{"copy past the end", copying, []uint64{8 << 20, 0, uint64(size)}, false},
		{"copy from past the end", copying, []uint64{0, 8 << 20, uint64(size)}, false},
		{"initialize", initialize, []uint64{5, 1, 3<<20 - 1}, true},
		{"initialize past the segment", initialize, []uint64{5, 2, 3<<20 - 1}, false},
		{"initialize past the end", initialize, []uint64{15 << 20, 0, 3 << 20}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			binary := all(tt.operation).bytes()
			metered, counter := instantiate(t, binary, plenty)
			ctx := t.Context()
			r := wazero.NewRuntime(ctx)
			defer r.Close(ctx)
			plain, err := r.Instantiate(ctx, binary)
			if err != nil {
				t.Fatal(err)
			}
			var memories [2][]byte
			for i, m := range []api.Module{plain, metered} {
				memory, _ := m.Memory().Read(0, m.Memory().Size())
				for at := range memory {
					memory[at] = byte(at % 253)
				}
				_, err := m.ExportedFunction("run").Call(ctx, tt.args...)
				if (err == nil) != tt.ok || err != nil && cause(err) != "out of bounds memory access" {
					t.Errorf("module %d: %v", i, err)
				}
				memories[i] = memory
			}
			if !bytes.Equal(memories[0], memories[1]) {
				t.Error("the memories differ")
			}
			if most := int(tt.args[2] >> 20); tt.ok && counter.refills < most-1 {
				t.Errorf("%d refills for %d MiB", counter.refills, most)
			}
		})
	}
}
