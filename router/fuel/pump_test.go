package fuel_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

// pump gives the modules of one runtime their fuel.
type pump map[api.Module]*gauge

// gauge is the fuel of one module.
type gauge struct {
	tank    fuel.Tank
	counter api.MutableGlobal
	refills int
}

// newPump offers the modules of a runtime the function that they call for fuel.
func newPump(tb testing.TB, r wazero.Runtime) pump {
	tb.Helper()
	p := pump{}
	_, err := r.NewHostModuleBuilder(fuel.Module).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(p.refill), []api.ValueType{api.ValueTypeI64}, []api.ValueType{api.ValueTypeI64}).Export(fuel.Refill).Instantiate(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func (p pump) refill(_ context.Context, m api.Module, stack []uint64) {
	g := p[m]
	g.refills++
	counter, err := g.tank.Refill(int64(stack[0]), fuel.Slice)
	if err != nil {
		panic(err)
	}
	stack[0] = uint64(counter)
}

// attach gives a module so much fuel.
func (p pump) attach(m api.Module, units uint64) *gauge {
	g := &gauge{counter: m.ExportedGlobal(fuel.Global).(api.MutableGlobal)}
	p[m] = g
	g.Set(units)
	return g
}

// Set fills the tank, Get tells what is left.
func (g *gauge) Set(units uint64) {
	g.counter.Set(uint64(g.tank.Fill(int64(units), fuel.Slice)))
}

// empty takes all fuel from a call under way.
func (g *gauge) empty() {
	g.tank.Fill(0, 0)
	g.counter.Set(1<<64 - 1)
}

func (g *gauge) Get() uint64 { return uint64(g.tank.Left(int64(g.counter.Get()))) }
