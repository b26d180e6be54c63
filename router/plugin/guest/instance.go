package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fuel"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// Instance is one running copy of a module, with its own memory. One goroutine
// at a time may use it. After a fault it must be closed, because nobody knows
// what its memory looks like.
type Instance struct {
	call
	module *Module
	mod    api.Module
	mem    api.Memory
	event  api.Function
	ctx    context.Context
	memory linearMemory
	// timeout is how long a call may take.
	timeout time.Duration
	// waited says that notifications wait for the start.
	waited bool

	// scratch is where the guest wants its fields.
	scratch       uint32
	scratchLength uint32
	startBytes    uint32
	room          []json.Value // to find wanted fields in

	globals  []api.MutableGlobal
	snapshot *Snapshot // nil if there is none
	// fresh says that the guest has seen no notification since it began. Otherwise
	// they were all the project's, unless the call is mixed.
	fresh   bool
	project []byte

	// Of the last call.
	stack  [1]uint64
	spent  int64
	result Result
}

// Start makes an instance and runs what a module runs at its start: its start section, _initialize,
// hr_init. The instance keeps env.
//
// # Errors
//
// Always a *Fault: the module trapped, ran out of fuel or time, exited, refused
// to start, or broke the ABI.
func (m *Module) Start(env *Env) (*Instance, error) { return m.start(env, false) }

// Restart is Start while notifications wait, for a module whose instances cannot
// begin from a snapshot: it may take no longer than a call.
//
// # Errors
//
// Those of Start.
func (m *Module) Restart(env *Env) (*Instance, error) { return m.start(env, true) }

func (m *Module) start(env *Env, waited bool) (*Instance, error) {
	in := m.prepare(env)
	in.waited = waited
	if err := in.start(); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

func (m *Module) prepare(env *Env) *Instance {
	limits := &m.limits
	if env.Limits != nil {
		limits = env.Limits
	}
	in := &Instance{module: m, timeout: limits.CallTimeout, memory: linearMemory{limit: uint64(limits.Memory())}}
	in.call.prepare(env, limits)
	in.ctx = &callContext{context.Background(), &in.call}
	return in
}

func (in *Instance) instantiate() error {
	if has, limit := in.module.image.LeastMemory, in.limits.Memory(); has > limit {
		return Faultf(BadStart, "memory %d bytes is over the limit of %d; raise [plugin.%s] memory", has, limit, in.env.Name)
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	ctx := experimental.WithMemoryAllocator(in.ctx, &in.memory)
	mod, err := in.module.runtime.InstantiateModule(ctx, in.module.compiled, config)
	if err != nil {
		return Faultf(BadStart, "it cannot be instantiated: %s", firstLine(err))
	}
	in.mod, in.mem = mod, mod.Memory()
	in.event = mod.ExportedFunction(abi.Event)
	in.tank = newTank(mod)
	in.globals = in.module.mutableGlobals(mod)
	return nil
}

// start runs a plugin's start, and takes what hr_init returned.
func (in *Instance) start() error {
	if err := in.boot(); err != nil {
		return err
	}
	if in.env.Number > 0 {
		in.stack[0] = uint64(in.env.Number - 1)
		if err := in.run(abi.Choose); err != nil {
			return err
		}
	}
	if err := in.run(abi.Init); err != nil {
		return err
	}
	return in.adopt(in.stack[0])
}

// boot runs what a module runs before it is asked for anything.
func (in *Instance) boot() error {
	if err := in.instantiate(); err != nil {
		return err
	}
	limit, _ := in.startTime()
	in.tank.fill(in.limits.InitFuel, limit)
	for _, name := range []string{fuel.Start, "_initialize"} {
		if err := in.run(name); err != nil {
			return err
		}
	}
	return nil
}

// run calls a function of the start, if there is one. Its argument, and then its
// result, are in stack[0].
func (in *Instance) run(name string) error {
	f := in.mod.ExportedFunction(name)
	if f == nil {
		return nil
	}
	in.doing = name
	if name == fuel.Start {
		in.doing = "its start function"
	}
	if err := f.CallWithStack(in.ctx, in.stack[:]); err != nil {
		_, key := in.startTime()
		return in.fault(err, in.limits.InitFuel, "[plugins] init_fuel", key)
	}
	return nil
}

// startTime is how long the start may take, and the key that configures it.
func (in *Instance) startTime() (limit time.Duration, key string) {
	if in.waited {
		return in.limits.CallTimeout, "[plugins] call_timeout"
	}
	return in.limits.StartTimeout, "[plugins] start_timeout"
}

// adopt takes what hr_init returned.
func (in *Instance) adopt(answer uint64) error {
	if answer == 0 {
		return in.lastWords(Faultf(BadStart, "%s returned 0: it refuses to start; look at what it logs, and at [plugin.%s] config", abi.Init, in.env.Name))
	}
	pointer, length := uint32(answer>>32), uint32(answer)
	needs := scratchNeeds(len(in.sub.Wants))
	switch buf, ok := in.mem.Read(pointer, length); {
	case !ok:
		return Faultf(BadResult, "%s returned a scratch buffer past the end of its memory; return one within it", abi.Init)
	case len(buf) < needs:
		return Faultf(BadResult, "%s returned a scratch buffer of %d bytes; for %d wanted fields it takes %d and room for what is in them; return a larger one", abi.Init, length, len(in.sub.Wants), needs)
	case len(in.sub.Patterns) == 0:
		return Faultf(BadStart, "%s subscribed to no event type, so that it would never be called; declare one", abi.Init)
	}
	in.scratch, in.scratchLength = pointer, length
	in.begun()
	return nil
}

// begun makes the instance ready for its first notification.
func (in *Instance) begun() {
	in.room = in.sub.room()
	in.startBytes = in.mem.Size()
	in.ready, in.fresh = true, true
	in.rewind()
}

// SetTimeout gives the instance's calls so much time instead of
// Limits.CallTimeout.
func (in *Instance) SetTimeout(d time.Duration) { in.timeout = d }

// Handle calls the guest with one notification. What the guest wants done is in
// Result afterwards. It allocates nothing.
func (in *Instance) Handle(n *event.Notification) *Fault {
	in.begin(n)
	in.spent = 0
	in.result.clear()
	buf, ok := in.mem.Read(in.scratch, in.scratchLength)
	if !ok {
		return Faultf(BadResult, "its scratch buffer is gone")
	}
	writeScratch(buf, n, &in.sub, in.room)
	budget := in.limits.Fuel
	in.tank.fill(budget, in.timeout)
	err := in.event.CallWithStack(in.ctx, in.stack[:])
	if err != nil {
		f := in.fault(err, budget, "[plugin."+in.env.Name+"] fuel", "[plugins] call_timeout")
		in.n = nil
		return f
	}
	in.spent = in.tank.spent()
	var f *Fault
	if in.stack[0] != 0 {
		f = in.readResult(in.stack[0])
	}
	in.n = nil
	return f
}

func (in *Instance) readResult(answer uint64) *Fault {
	block, ok := in.mem.Read(uint32(answer>>32), uint32(answer))
	if !ok {
		return Faultf(BadResult, "%s returned a result of %d bytes at %#x, past the end of its memory of %d bytes", abi.Event, uint32(answer), uint32(answer>>32), in.mem.Size())
	}
	if err := in.result.decode(block, in.limits); err != nil {
		return Faultf(BadResult, "its result %s", err)
	}
	if n := in.result.Dropped; n > 0 {
		in.env.Log.write(slog.LevelWarn, fmt.Appendf(nil, "dropped emissions: %d; the last: %s", n, in.result.Reason), in.messageID())
	}
	return nil
}

// fault explains why a call failed; the keys are those that configure its fuel and
// its time.
func (in *Instance) fault(err error, budget int64, key, timeKey string) *Fault {
	in.flush()
	var f *Fault
	switch {
	case errors.As(err, &f) && f.Kind == Exit:
		return in.lastWords(f)
	case f != nil:
		return f
	case errors.Is(err, errTime):
		return Faultf(Time, "%s took too long and was cut off; do less, or raise %s", in.doing, timeKey)
	case errors.Is(err, fuel.ErrFuel):
		return Faultf(Fuel, "%s worked for more than %d units of fuel; do less, or raise %s", in.doing, budget, key)
	}
	return in.lastWords(Faultf(Trap, "%s trapped: %s", in.doing, strings.TrimPrefix(firstLine(err), "wasm error: ")))
}

// lastWords adds what the guest said first: a Go program writes to stderr why it
// panicked.
func (in *Instance) lastWords(f *Fault) *Fault {
	if in.said != "" {
		f.Text += fmt.Sprintf(" (it said %q)", in.said)
	}
	return f
}

// Result is what the last call returned. It is empty after a fault.
func (in *Instance) Result() *Result { return &in.result }

// Spent is the fuel that the last call took, if it ended well.
func (in *Instance) Spent() int64 { return in.spent }

// Wrote reports whether the last call changed the store.
func (in *Instance) Wrote() bool { return in.wrote }

// Subscription is what the guest declared.
func (in *Instance) Subscription() *Subscription { return &in.sub }

// Grown reports whether the memory has come halfway from its size at the start
// to the limit. A module never gives memory back.
func (in *Instance) Grown() bool {
	limit, start := uint64(in.limits.Memory()), uint64(in.startBytes)
	return uint64(in.mem.Size()) > start+(limit-min(limit, start))/2
}

// Close frees the instance's memory.
func (in *Instance) Close() {
	if in.mod != nil {
		_ = in.mod.Close(in.ctx)
	}
	in.memory.Free()
}
