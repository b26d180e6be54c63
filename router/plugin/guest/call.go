package guest

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"

	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// What the host's work for a guest costs, in units of fuel, so that a unit lasts
// about a nanosecond whatever it is spent on (BenchmarkHostCalls shows how long).
const (
	// hostCallFuel is for a call of the host, beside what that does.
	hostCallFuel = 50
	// bytesPerFuel is how many copied bytes cost one unit, keptPerFuel how many of
	// those that the store keeps.
	bytesPerFuel = 8
	keptPerFuel  = 2
	// stepFuel is for each segment of a JSON Pointer, elementFuel for each element
	// that is passed by on the way; pointerFuel for each byte of one that is new.
	stepFuel    = 16
	elementFuel = 2
	pointerFuel = 24
	// nodeFuel is for each value within one whose length is asked for, and again,
	// twice, if it is written.
	nodeFuel = 4
	// lineFuel is for a line for the log, most of which are dropped.
	lineFuel = 500
	// vectorFuel is for each buffer that fd_write is passed.
	vectorFuel = 20
	// entryFuel is for work on an entry of the store, which may have to make room.
	entryFuel = 100
)

const (

	// maxSaid bounds what is quoted of a guest's last words, in bytes.
	maxSaid = 200
)

// Env is what the host offers to all instances of one plugin.
type Env struct {
	// Name is the plugin's. Randomness depends on it, and faults name its table.
	Name string
	// Config is the JSON text that the import `config` hands out.
	Config []byte
	Store  *Store
	Log    *Log
	// Number is which plugin of a bundle instances are, from 1; 0 if the module is
	// one plugin.
	Number int
	// Limits bound the instances; nil for those that the module was compiled with.
	Limits *Limits
}

// call is the host's side of an instance: what the functions that it imports
// know of it and of the call under way. It belongs to one goroutine.
type call struct {
	env    *Env
	limits *Limits
	tank   tank

	// Of the call under way. n is nil during the start.
	n         *event.Notification
	owner     Owner
	doing     string
	hostCalls int
	// wrote says that the call has changed the store.
	wrote bool
	// said is the first line that it wrote to stderr or logged as an error.
	said string

	// Kept between calls.
	mixed  bool // the guest knows of all projects' notifications
	sub    Subscription
	ready  bool // hr_init is over
	clock  clock
	random *rand.ChaCha8
	seed   [32]byte
	output [2]lineBuffer
	paths  map[string]json.Pointer
}

// callKey finds the call in the context of a host function.
type callKey struct{}

// callContext carries a call to the host functions.
type callContext struct {
	context.Context
	c *call
}

func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.c
	}
	return c.Context.Value(key)
}

// prepare makes c ready for the start of an instance.
func (c *call) prepare(env *Env, limits *Limits) {
	c.env, c.limits = env, limits
	c.seed = sha256.Sum256([]byte(env.Name))
	c.random = rand.NewChaCha8(c.seed)
	c.rewind()
	c.output[0].emit = func(line []byte) { env.Log.write(slog.LevelInfo, line, c.messageID()) }
	c.output[1].emit = func(line []byte) {
		env.Log.write(slog.LevelWarn, line, c.messageID())
		c.say(line)
	}
}

// rewind sets the clock and the randomness back to where they begin.
func (c *call) rewind() {
	c.clock.monotonic = clockStart
	c.random.Seed(c.seed)
}

// begin starts the call for one notification. A mixed guest uses the part of the
// store that is nobody's own.
func (c *call) begin(n *event.Notification) {
	c.owner = Owner{Project: n.Project}
	if c.mixed {
		c.owner = Owner{Shared: true}
	}
	c.n, c.doing, c.hostCalls, c.said, c.wrote = n, abi.Event, 0, "", false
	c.clock.begin(n.At)
}

// refill is called by the guest when a slice of its fuel is used up.
func (c *call) refill(stack []uint64) {
	counter, err := c.tank.refill(int64(stack[0]))
	if err != nil {
		panic(err)
	}
	stack[0] = uint64(counter)
}

// spend takes fuel for the host's own work, before that is done.
func (c *call) spend(units int64) {
	if err := c.tank.take(units); err != nil {
		panic(err)
	}
}

// enter charges for one call of the host. Over the budget it ends the guest's
// call by a panic, which the engine turns into an error. Every host function
// begins with it: the guest's code does not check its fuel after such a call.
func (c *call) enter() {
	c.hostCalls++
	if c.hostCalls > c.limits.HostCalls {
		panic(Faultf(Budget, "%s called the host more than %d times; call it less, or raise [plugins] host_calls_per_event", c.doing, c.limits.HostCalls))
	}
	c.tank.calls++
	c.spend(hostCallFuel)
}

// view returns n bytes of guest memory, and charges for them.
func (c *call) view(mem api.Memory, function string, pointer, n uint64) []byte {
	c.spend(int64(uint32(n) / bytesPerFuel))
	return c.at(mem, function, pointer, n)
}

// at is view for memory that not all of may be used: it charges nothing.
func (c *call) at(mem api.Memory, function string, pointer, n uint64) []byte {
	if uint32(n) == 0 {
		return nil
	}
	b, ok := mem.Read(uint32(pointer), uint32(n))
	if !ok {
		panic(Faultf(BadCall, "%s passed %s a pointer past the end of its memory", c.doing, function))
	}
	return b
}

// fill copies text into the guest's buffer if it fits, and returns its length.
func (c *call) fill(mem api.Memory, function string, pointer, limit uint64, text []byte) uint64 {
	if len(text) <= int(uint32(limit)) {
		copy(c.view(mem, function, pointer, uint64(len(text))), text)
	}
	return uint64(len(text))
}

// notification returns the one under way.
func (c *call) notification(function string) *event.Notification {
	if c.n == nil {
		panic(Faultf(BadCall, "%s called %s, which is for %s", c.doing, function, abi.Event))
	}
	return c.n
}

func (c *call) messageID() string {
	if c.n == nil {
		return ""
	}
	return c.n.MessageID
}

// say notes what may turn out to be the reason of a fault.
func (c *call) say(line []byte) {
	if c.said == "" {
		c.said = string(line[:min(len(line), maxSaid)])
	}
}

// flush logs lines that have no end yet.
func (c *call) flush() {
	for i := range c.output {
		c.output[i].flush()
	}
}
