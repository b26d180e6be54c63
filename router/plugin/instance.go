package plugin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fuel"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// instance is one running copy of a filter: its memory, and what the host
// knows of the call under way. It belongs to one worker. After a fault it is
// thrown away, because nobody knows what its memory looks like.
type instance struct {
	filter *filter
	limits *limits
	mod    api.Module
	mem    api.Memory
	call   api.Function
	fuel   api.MutableGlobal
	ctx    context.Context
	memory linearMemory
	// overtime is what cuts its calls off; nil for nothing.
	overtime *overtime

	// scratch is where the guest wants its fields.
	scratch       uint32
	scratchLength uint32
	startBytes    uint32

	// Of the call under way.
	n         *event.Notification
	doing     string
	budget    int64
	hostCalls int
	// spent is the fuel that the last call took, once it has ended well; wrote
	// says that it has changed the filter's store.
	spent int64
	wrote bool
	// said is the first line that the call wrote to stderr or logged as an
	// error.
	said      string
	eventTime int64
	eventTick int64
	stack     [1]uint64
	result    result

	// What it keeps between calls.
	ready  bool
	sub    subscription
	clock  int64
	random *rand.ChaCha8
	output [2]lineBuffer
	paths  map[string]json.Pointer
	room   []json.Value // to find wanted fields in
}

// maxSaid bounds what is quoted of a guest's last words, in bytes.
const maxSaid = 200

// instanceKey finds the instance in the context of a host call.
type instanceKey struct{}

// callContext carries an instance to the host functions it calls.
type callContext struct {
	context.Context
	in *instance
}

func (c *callContext) Value(key any) any {
	if key == (instanceKey{}) {
		return c.in
	}
	return c.Context.Value(key)
}

// newInstance makes a copy of the filter and lets it start: its start section,
// _initialize, hr_init.
//
// # Errors
//
// Always a *Fault: the module trapped, ran out of fuel, exited, refused to
// start, or broke the ABI.
func (f *filter) newInstance() (*instance, error) {
	in := &instance{
		filter: f, limits: &f.limits,
		clock:  clockStart,
		random: rand.NewChaCha8(sha256.Sum256([]byte(f.Name))),
	}
	f.record.instances.Add(1)
	in.ctx = &callContext{context.Background(), in}
	in.output[0].emit = func(line []byte) { f.record.log.write(slog.LevelInfo, line, in.messageID()) }
	in.output[1].emit = func(line []byte) {
		f.record.log.write(slog.LevelWarn, line, in.messageID())
		in.say(line)
	}
	if err := in.start(); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func (in *instance) start() error {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	ctx := experimental.WithMemoryAllocator(in.ctx, &in.memory)
	mod, err := in.filter.runtime.InstantiateModule(ctx, in.filter.compiled, config)
	if err != nil {
		return faultf(faultStart, "it cannot be instantiated: %s", firstLine(err))
	}
	in.mod, in.mem = mod, mod.Memory()
	in.fuel = mod.ExportedGlobal(fuel.Global).(api.MutableGlobal)
	in.call = mod.ExportedFunction(abi.Event)
	in.budget = in.limits.initFuel
	in.fuel.Set(uint64(in.budget))
	in.hostCalls = 0
	late := newOvertime(in.limits.startTimeout)
	late.add(in, in.budget)
	defer late.remove(in)
	late.begin()
	defer late.end()
	for _, name := range []string{fuel.Start, "_initialize", abi.Init} {
		f := mod.ExportedFunction(name)
		if f == nil {
			continue
		}
		in.doing = name
		if name == fuel.Start {
			in.doing = "its start function"
		}
		if err := f.CallWithStack(in.ctx, in.stack[:]); err != nil {
			return in.fault(err, "[plugins] init_fuel", "[plugins] start_timeout")
		}
	}
	return in.adopt(in.stack[0])
}

// adopt takes what hr_init returned.
func (in *instance) adopt(answer uint64) error {
	if answer == 0 {
		return in.lastWords(faultf(faultStart, "%s returned 0: it refuses to start; look at what it logs, and at [plugin.%s] config", abi.Init, in.filter.Name))
	}
	pointer, length := uint32(answer>>32), uint32(answer)
	needs := scratchNeeds(len(in.sub.wants))
	switch buf, ok := in.mem.Read(pointer, length); {
	case !ok:
		return faultf(faultResult, "%s returned a scratch buffer past the end of its memory; return one within it", abi.Init)
	case len(buf) < needs:
		return faultf(faultResult, "%s returned a scratch buffer of %d bytes; for %d wanted fields it takes %d and room for what is in them; return a larger one", abi.Init, length, len(in.sub.wants), needs)
	case len(in.sub.patterns) == 0:
		return faultf(faultStart, "%s subscribed to no event type, so that it would never be called; declare one", abi.Init)
	}
	in.scratch, in.scratchLength = pointer, length
	in.room = in.sub.room()
	in.startBytes = in.mem.Size()
	in.ready = true
	return nil
}

// handle calls the guest with one notification and leaves what it wants done in
// in.result, which aliases guest memory. It allocates nothing.
func (in *instance) handle(n *event.Notification) *Fault {
	in.n, in.doing, in.hostCalls, in.said, in.spent, in.wrote = n, abi.Event, 0, "", 0, false
	in.eventTime, in.eventTick = n.At.UnixNano(), in.clock
	buf, ok := in.mem.Read(in.scratch, in.scratchLength)
	if !ok {
		return faultf(faultResult, "its scratch buffer is gone")
	}
	writeScratch(buf, n, &in.filter.sub, in.room)
	in.budget = in.limits.fuel
	in.fuel.Set(uint64(in.budget))
	err := in.call.CallWithStack(in.ctx, in.stack[:])
	if err != nil {
		f := in.fault(err, "[plugin."+in.filter.Name+"] fuel", "[plugins] call_timeout")
		in.n = nil
		return f
	}
	in.n, in.spent = nil, in.budget-int64(in.fuel.Get())
	if in.stack[0] == 0 {
		in.result.emissions, in.result.stop = in.result.emissions[:0], false
		return nil
	}
	return in.readResult(in.stack[0])
}

func (in *instance) readResult(answer uint64) *Fault {
	block, ok := in.mem.Read(uint32(answer>>32), uint32(answer))
	if !ok {
		return faultf(faultResult, "%s returned a result of %d bytes at %#x, past the end of its memory of %d bytes", abi.Event, uint32(answer), uint32(answer>>32), in.mem.Size())
	}
	if err := in.result.decode(block, in.limits); err != nil {
		return faultf(faultResult, "its result %s", err)
	}
	return nil
}

// fault says what a failed call died of; the keys are where its fuel and its time
// are configured.
func (in *instance) fault(err error, key, timeKey string) *Fault {
	for i := range in.output {
		in.output[i].flush()
	}
	var f *Fault
	if errors.As(err, &f) {
		if f.kind == faultExit {
			return in.lastWords(f)
		}
		return f
	}
	switch left := int64(in.fuel.Get()); {
	case left < fuel.CutOff/2:
		return faultf(faultTime, "%s took too long and was cut off; do less, or raise %s", in.doing, timeKey)
	case left < 0:
		return in.outOfFuel(key)
	}
	return in.lastWords(faultf(faultTrap, "%s trapped: %s", in.doing, strings.TrimPrefix(firstLine(err), "wasm error: ")))
}

// say notes what may turn out to be the reason of a fault.
func (in *instance) say(line []byte) {
	if in.said == "" {
		in.said = string(line[:min(len(line), maxSaid)])
	}
}

// lastWords adds what the guest said first: a Go program tells stderr what it
// panicked about.
func (in *instance) lastWords(f *Fault) *Fault {
	if in.said != "" {
		f.text += fmt.Sprintf(" (it said %q)", in.said)
	}
	return f
}

func (in *instance) outOfFuel(key string) *Fault {
	return faultf(faultFuel, "%s worked for more than %d units of fuel; do less, or raise %s", in.doing, in.budget, key)
}

// spend takes fuel for the host's own work.
func (in *instance) spend(units int64) {
	left := int64(in.fuel.Get()) - units
	in.fuel.Set(uint64(left))
	if left < 0 {
		panic(errFuel)
	}
}

// errFuel ends a call from within a host function; fault reads the counter.
var errFuel = errors.New("out of fuel")

// wall is the real-time clock as the guest sees it, in Unix nanoseconds.
func (in *instance) wall() int64 { return in.eventTime + in.clock - in.eventTick }

func (in *instance) messageID() string {
	if in.n == nil {
		return ""
	}
	return in.n.MessageID
}

// grown tells whether the memory has come half the way from what it was at the
// start to the limit. A module never gives memory back.
func (in *instance) grown() bool {
	limit := uint64(in.limits.pages) * pageBytes
	return uint64(in.mem.Size()) > uint64(in.startBytes)+(limit-min(limit, uint64(in.startBytes)))/2
}

func (in *instance) close() {
	in.filter.record.instances.Add(-1)
	if in.overtime != nil {
		in.overtime.remove(in)
	}
	if in.mod != nil {
		_ = in.mod.Close(in.ctx)
	}
	in.memory.Free()
}

// firstLine cuts the engine's stack trace off.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, " (recovered by wazero)")
}
