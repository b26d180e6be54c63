package fuel_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"horizon-realtime/router/fuel"
)

// flow writes functions whose control goes anywhere: blocks, loops and arms in
// one another, with branches of all kinds between them that depend on a number
// drawn anew each time.
type flow struct{ *rand.Rand }

// draw leaves the next number of the module's own sequence on the stack.
func draw() []byte {
	return slices.Concat(op(0x23, 0), constant(1_664_525), op(0x6c), constant(1_013_904_223),
		op(0x6a, 0x24, 0, 0x23, 0), constant(16), op(0x76)) // x = x*a + c; x >> 16
}

// turn begins a loop, and divides by zero once there were enough turns of any.
func turn() []byte {
	return slices.Concat(op(0x03, void, 0x23, 1), constant(1), op(0x6b, 0x24, 1), constant(1), op(0x23, 1, 0x6d, 0x1a))
}

// stretch does some work.
func (f flow) stretch() []byte {
	return slices.Repeat(op(0x41, 0, 0x1a), f.IntN(12))
}

// label picks one of the frames around.
func (f flow) label(frames int) byte { return byte(f.IntN(frames)) }

// sequence is a few statements within so many frames, the function's included.
func (f flow) sequence(frames int) (b []byte) {
	for range 1 + f.IntN(4) {
		b = append(b, f.stretch()...)
		b = append(b, f.statement(frames)...)
	}
	return append(b, f.stretch()...)
}

func (f flow) statement(frames int) []byte {
	kind := f.IntN(10)
	if frames > 5 {
		kind = 4 + f.IntN(6)
	}
	switch kind {
	case 0, 1:
		return slices.Concat(op(0x02, void), f.sequence(frames+1), op(0x0b))
	case 2:
		return slices.Concat(turn(), f.sequence(frames+1), op(0x0b))
	case 3:
		return slices.Concat(draw(), constant(1), op(0x71, 0x04, void), f.sequence(frames+1), op(0x05), f.sequence(frames+1), op(0x0b))
	case 4:
		return f.table(1 + f.IntN(6))
	case 5, 6:
		return slices.Concat(draw(), constant(3), op(0x71, 0x0d, f.label(frames)))
	case 7:
		return call(0)
	case 8:
		return slices.Concat(draw(), constant(3), op(0x71, 0x45, 0x04, void, 0x0c, f.label(frames+1), 0x0b)) // if x%4 == 0 { br }
	}
	return slices.Concat(draw(), constant(7), op(0x71, 0x45, 0x04, void, 0x0f, 0x0b)) // if x%8 == 0 { return }
}

// table is what Go's compiler makes of a function, and worse: a loop around
// stretches that a jump table leads to, any of which may go back to it, on to
// another, or call. There may be ways past the table.
func (f flow) table(stretches int) []byte {
	b := turn()
	for range stretches {
		b = append(b, 0x02, void)
	}
	switch f.IntN(4) {
	case 0:
		b = slices.Concat(b, draw(), constant(1), op(0x71, 0x0d, f.label(stretches)))
	case 1: // in a block of its own, so that the table is still certain to be reached
		b = slices.Concat(b, op(0x02, void), draw(), constant(1), op(0x71, 0x0d, 0), f.stretch(), op(0x0b))
	case 2:
		b = slices.Concat(b, op(0x02, void), draw(), constant(1), op(0x71, 0x0d, f.label(stretches)+1), f.stretch(), op(0x0b))
	}
	b = slices.Concat(b, draw(), constant(7), op(0x71, 0x0e, byte(stretches-1)))
	for i := range stretches {
		b = append(b, byte(i))
	}
	for i := range stretches {
		b = append(b, 0x0b)
		b = append(b, f.stretch()...)
		switch up := byte(stretches - 1 - i); f.IntN(8) { // frames between here and the loop
		case 0:
			b = append(b, draw()...)
			b = append(b, 0x41, 1, 0x71, 0x0d, up)
		case 1:
			b = append(b, draw()...)
			b = append(b, 0x41, 1, 0x71, 0x04, void, 0x0c, up+1, 0x0b)
		case 2:
			b = append(b, 0x0c, up)
		case 3:
			b = append(b, call(0)...)
		}
		if up := stretches - 1 - i; up > 0 && f.IntN(6) == 0 {
			b = slices.Concat(b, draw(), constant(1), op(0x71, 0x0d, f.label(up)))
		}
		b = append(b, f.stretch()...)
	}
	return append(b, 0x0b)
}

// Whichever way control goes, what is charged is what was done or more, and
// nothing changes that the module can see.
func TestChargesCoverAnyFlow(t *testing.T) {
	ctx := context.Background()
	runs, paid, done := 0, uint64(0), uint64(0)
	for seed := range uint64(600) {
		f := flow{rand.New(rand.NewPCG(seed, 0))}
		p := parts{
			types:   [][]byte{funcType(nil, nil), funcType(op(i32), nil)},
			funcs:   op(0, 1),
			globals: [][]byte{slices.Concat(op(i32, 1), constant(0), op(0x0b)), slices.Concat(op(i32, 1), constant(12), op(0x0b))},
			exports: [][]byte{export("run", 0, 1), export("x", 3, 0)},
			bodies:  [][]byte{code(f.stretch()), code(op(0x20, 0, 0x24, 0), f.table(9), f.sequence(1), f.table(9))},
		}
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
		pump := newPump(t, r)
		for arg := range uint64(4) {
			x, used, err := runFlow(t, r, pump, fuel.Instrument, p.bytes(), arg)
			wantX, work, wantErr := runFlow(t, r, pump, fuel.InstrumentStretches, p.bytes(), arg)
			if x != wantX || used < work || (err == nil) != (wantErr == nil) || err != nil && cause(err) != cause(wantErr) {
				t.Errorf("seed %d, run(%d): %d, %v for %d units; it is %d, %v for work of %d", seed, arg, x, err, used, wantX, wantErr, work)
			}
			runs, paid, done = runs+1, paid+used, done+work
		}
		if err := r.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d runs: %d units were paid for work of %d", runs, paid, done)
}

// Two jumps in one turn land in two runs, and pay for both.
func TestEachJumpPays(t *testing.T) {
	work := slices.Repeat(op(0x41, 0, 0x1a), 40)
	p := parts{
		types:   [][]byte{funcType(op(i32), nil)},
		funcs:   op(0),
		globals: [][]byte{slices.Concat(op(i32, 1), constant(0), op(0x0b))},
		exports: [][]byte{export("run", 0, 0), export("x", 3, 0)},
		bodies: [][]byte{code(
			op(0x02, void), // block w
			op(0x02, void, 0x02, void, 0x41, 1, 0x0d, 0, 0x0c, 1, 0x0b), work, op(0x0b), // block x { block y { br_if y; br x }; work }
			op(0x02, void, 0x41, 1, 0x0d, 0, 0x0c, 1, 0x0b), work, // block z { br_if z; br w }; work
			op(0x0b),
		)},
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	pump := newPump(t, r)
	_, used, err := runFlow(t, r, pump, fuel.Instrument, p.bytes(), 0)
	_, done, wantErr := runFlow(t, r, pump, fuel.InstrumentStretches, p.bytes(), 0)
	if err != nil || wantErr != nil || done < 80 || used < done {
		t.Errorf("%d units were paid for work of %d (%v, %v)", used, done, err, wantErr)
	}
}

// runFlow runs a flow and tells where it left its number, and what it paid.
func runFlow(t *testing.T, r wazero.Runtime, pump pump, rewrite rewriter, module []byte, arg uint64) (x, used uint64, _ error) {
	t.Helper()
	rewritten, _, err := rewrite(module, fuel.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	m, err := r.InstantiateWithConfig(ctx, rewritten, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(ctx)
	counter := pump.attach(m, plenty)
	_, err = m.ExportedFunction("run").Call(ctx, arg)
	return m.ExportedGlobal("x").Get(), plenty - counter.Get(), err
}
