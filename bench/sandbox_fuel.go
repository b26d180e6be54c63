package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"horizon-realtime/router/fuel"
)

// fuelOverhead measures what counting costs a guest that works: encoding/json in
// Go, over a recorded message, as it was compiled and rewritten. They take turns
// call by call.
func fuelOverhead() ([]result, error) {
	_, n, err := instanceUpdate()
	if err != nil {
		return nil, err
	}
	plain, err := buildGuest("decode")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	rewritten, _, err := fuel.Instrument(plain, fuel.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("rewrite the guest: %w", err)
	}
	rewriting := time.Since(began)
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	if err := provideFuel(ctx, runtime); err != nil {
		return nil, err
	}
	var guests [2]*decoder
	for i, module := range [][]byte{plain, rewritten} {
		if guests[i], err = newDecoder(ctx, runtime, module, n.Raw()); err != nil {
			return nil, err
		}
	}
	var took [2][]time.Duration
	for range size(5000, 100) {
		for i, g := range guests {
			d, err := g.decode(ctx)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], d)
		}
	}
	ns := func(d time.Duration) float64 { return float64(d) }
	ms := milliseconds(rewriting)
	return []result{
		row("JSON decoding in a guest, with fuel (goal 1.15)", "ns", median(took[1], ns), median(took[0], ns), "the same guest without"),
		row(fmt.Sprintf("rewriting a module of %.1f MB at load (goal 25 ms)", float64(len(plain))/1e6), "ms", ms, 25, "the goal"),
	}, nil
}

// decoder is an instance of guests/decode that has its message.
type decoder struct {
	call    api.Function
	tank    fuel.Tank
	counter api.Global // nil without fuel
	began   time.Time
	took    time.Duration
}

// decoderKey finds a decoder in the context of a safepoint.
type decoderKey struct{}

// provideFuel offers guests the function that they call at safepoints. It looks at
// the clock, as the router does.
func provideFuel(ctx context.Context, runtime wazero.Runtime) error {
	refill := api.GoFunc(func(ctx context.Context, stack []uint64) {
		d := ctx.Value(decoderKey{}).(*decoder)
		d.took = time.Since(d.began)
		counter, err := d.tank.Refill(int64(stack[0]), fuel.Slice)
		if err != nil {
			panic(err)
		}
		stack[0] = uint64(counter)
	})
	one := []api.ValueType{api.ValueTypeI64}
	_, err := runtime.NewHostModuleBuilder(fuel.Module).NewFunctionBuilder().
		WithGoFunction(refill, one, one).Export(fuel.Refill).Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("offer fuel: %w", err)
	}
	return nil
}

func newDecoder(ctx context.Context, runtime wazero.Runtime, module, message []byte) (*decoder, error) {
	mod, err := runtime.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("instantiate the guest: %w", err)
	}
	d := &decoder{call: mod.ExportedFunction("decode"), counter: mod.ExportedGlobal(fuel.Global), began: time.Now()}
	ctx = context.WithValue(ctx, decoderKey{}, d)
	d.refuel()
	if _, err := mod.ExportedFunction("_initialize").Call(ctx); err != nil {
		return nil, fmt.Errorf("initialise the guest: %w", err)
	}
	at, err := mod.ExportedFunction("room").Call(ctx, uint64(len(message)))
	if err != nil {
		return nil, fmt.Errorf("make room for the message: %w", err)
	}
	if !mod.Memory().Write(uint32(at[0]), message) {
		return nil, fmt.Errorf("the guest's room is out of its memory")
	}
	return d, nil
}

func (d *decoder) refuel() {
	if d.counter != nil {
		d.counter.(api.MutableGlobal).Set(uint64(d.tank.Fill(1<<40, fuel.Slice)))
	}
}

func (d *decoder) decode(ctx context.Context) (time.Duration, error) {
	d.refuel()
	ctx = context.WithValue(ctx, decoderKey{}, d)
	began := time.Now()
	members, err := d.call.Call(ctx)
	took := time.Since(began)
	if err == nil && int32(members[0]) < 5 {
		err = fmt.Errorf("the guest decoded %d members", int32(members[0]))
	}
	return took, err
}
