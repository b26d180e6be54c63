package guest

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// checks is how many checks in a row must find the same call before it is
	// cut off, beside the first.
	checks = 4
	// again is how long after a cut the next one follows, should that have been
	// lost.
	again = time.Millisecond
)

// Watchdog cuts off calls that take too long. Fuel counts instructions, but one
// that waits for memory takes a hundred times as long as others; the engine
// cannot be interrupted meanwhile, and Go's collector would wait. A guest that
// charges itself all the time may overwrite a cut again and again, but such a
// guest soon runs out of fuel.
//
// It checks now and then instead of timing each call, which would cost each of
// them a timer. Its methods are safe for concurrent use.
type Watchdog struct {
	every time.Duration
	timer *time.Timer
	// state is odd while something is under way, and differs for each call.
	state atomic.Uint64
	// checking says that the timer runs. It stops when nothing happens.
	checking atomic.Bool

	mu    sync.Mutex
	found uint64 // the state at the last check
	times int    // how many checks before that found the same
	tanks map[*tank]int64
}

// NewWatchdog makes a watchdog that gives each call so much time.
func NewWatchdog(limit time.Duration) *Watchdog {
	w := &Watchdog{every: limit / checks, tanks: make(map[*tank]int64)}
	w.timer = time.AfterFunc(time.Hour, w.check)
	w.timer.Stop()
	return w
}

// add takes the tank of an instance whose calls start with so much fuel.
func (w *Watchdog) add(t *tank, budget int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tanks[t] = budget
}

func (w *Watchdog) remove(t *tank) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tanks, t)
}

// Begin and End enclose calls that may take as long as the limit.
func (w *Watchdog) Begin() {
	w.state.Add(1)
	if !w.checking.Load() && w.checking.CompareAndSwap(false, true) {
		w.timer.Reset(w.every)
	}
}

// End is Begin's counterpart.
func (w *Watchdog) End() { w.state.Add(1) }

// next starts the time of another call.
func (w *Watchdog) next() { w.state.Add(2) }

// check cuts off a call that it has found often enough. Only it resets a timer
// that runs.
func (w *Watchdog) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := w.state.Load()
	pause := w.every
	switch {
	case state != w.found:
		w.found, w.times = state, 0
	case state%2 == 0:
		w.checking.Store(false)
		// Whoever begins before this line does not start the timer.
		if w.state.Load() == state || !w.checking.CompareAndSwap(false, true) {
			return
		}
	default:
		if w.times++; w.times >= checks {
			w.cut(state)
			pause = again
		}
	}
	w.timer.Reset(pause)
}

// cut cuts off whichever guest is in a call, if that has used as much fuel as a
// slow call does. The others do not notice: their fuel is set anew before the
// next call, and one that begins just now has all of it. (One that begins within
// the few instructions of a cut is cut off too, and tried again.)
func (w *Watchdog) cut(state uint64) {
	for t, budget := range w.tanks {
		if w.state.Load() != state {
			return
		}
		t.drain(budget - SlowFuel)
	}
}
