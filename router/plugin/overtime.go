package plugin

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"horizon-realtime/router/fuel"
)

const (
	// looks is how many looks a call may be found by, beside the first, before it
	// is cut off.
	looks = 4
	// again is how long after a cut the next one follows, should that have got
	// lost.
	again = time.Millisecond
)

// overtime cuts calls off that take too long. Fuel counts instructions, and one
// that waits for the machine's memory takes a hundred times as long as others;
// the engine cannot be interrupted meanwhile, and Go's collector would wait. A
// guest that looks at its fuel all the time may overwrite what a cut has left
// there, again and again; but that one has no fuel for long.
//
// It looks now and then, rather than being told of the time of each call: that
// would cost each of them a timer. Its methods are safe for concurrent use.
type overtime struct {
	every time.Duration
	timer *time.Timer
	// state is odd while something is under way, and another with each call.
	state atomic.Uint64
	// looking says that the timer runs. It stops where nothing happens.
	looking atomic.Bool

	mu        sync.Mutex
	found     uint64 // the state at the last look
	times     int    // that it was found before
	instances map[*instance]int64
}

func newOvertime(limit time.Duration) *overtime {
	o := &overtime{every: limit / looks, instances: make(map[*instance]int64)}
	o.timer = time.AfterFunc(time.Hour, o.look)
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

// begin and end stand around what may take as long as the limit, and next before
// each call in between.
func (o *overtime) begin() {
	o.state.Add(1)
	if !o.looking.Load() && o.looking.CompareAndSwap(false, true) {
		o.timer.Reset(o.every)
	}
}

func (o *overtime) next() { o.state.Add(2) }

func (o *overtime) end() { o.state.Add(1) }

// look cuts a call off that it has found often enough. It is the only one that
// resets a timer which runs.
func (o *overtime) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	state := o.state.Load()
	pause := o.every
	switch {
	case state != o.found:
		o.found, o.times = state, 0
	case state%2 == 0:
		o.looking.Store(false)
		// Whoever begins before this line does not start the timer.
		if o.state.Load() == state || !o.looking.CompareAndSwap(false, true) {
			return
		}
	default:
		if o.times++; o.times >= looks {
			o.cut(state)
			pause = again
		}
	}
	o.timer.Reset(pause)
}

// cut cuts off whichever instance is in a call, if that has taken fuel for as
// long as a slow one does. The others do not notice: their fuel is set anew
// before the next call, and one that begins just now has all of it. (Where it
// begins in between, in the few instructions of a cut, it is cut off too, and
// tried again.)
func (o *overtime) cut(state uint64) {
	for in, budget := range o.instances {
		if o.state.Load() != state {
			return
		}
		_, _ = in.mod.ExportedFunction(fuel.Cut).Call(context.Background(), uint64(max(budget-leastSlow, 0)))
	}
}
