package plugin

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"horizon-realtime/router/fuel"
)

// again is how long after a cut the next one follows, should that have got lost.
const again = time.Millisecond

// overtime cuts calls off that take too long. Fuel counts instructions, and one
// that waits for the machine's memory takes a hundred times as long as others;
// the engine cannot be interrupted meanwhile, and Go's collector would wait. A
// guest that looks at its fuel all the time may overwrite what a cut has left
// there, again and again; but that one has no fuel for long. Its methods are safe
// for concurrent use.
type overtime struct {
	// look is how often a call is looked at. The second look that finds it cuts it
	// off.
	look  time.Duration
	timer *time.Timer
	// calls counts those that have begun.
	calls atomic.Uint64

	mu        sync.Mutex
	under     bool   // way
	found     uint64 // the call that the last look found
	instances map[*instance]int64
}

// none is no call's number.
const none = math.MaxUint64

func newOvertime(limit time.Duration) *overtime {
	o := &overtime{look: limit / 2, instances: make(map[*instance]int64)}
	o.timer = time.AfterFunc(o.look, o.cut)
	o.timer.Stop()
	return o
}

// add makes an instance one that may be cut off. Its calls start with so much
// fuel.
func (o *overtime) add(in *instance, budget int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.overtime = o
	o.instances[in] = budget
}

// remove is for an instance that is going to be closed, or changes hands.
func (o *overtime) remove(in *instance) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.overtime = nil
	delete(o.instances, in)
}

// begin and end stand around what may take as long as the limit.
func (o *overtime) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.under, o.found = true, none
	o.timer.Reset(o.look)
}

func (o *overtime) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.under = false
	o.timer.Stop()
}

// cut cuts off whichever instance is in a call. The others do not notice: their
// fuel is set anew before the next one.
func (o *overtime) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.under {
		return
	}
	if call := o.calls.Load(); call != o.found {
		o.found = call
		o.timer.Reset(o.look)
		return
	}
	for in, budget := range o.instances {
		_, _ = in.mod.ExportedFunction(fuel.Cut).Call(context.Background(), uint64(max(budget-leastSlow, 0)))
	}
	o.timer.Reset(again)
}
