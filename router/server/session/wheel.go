package session

import (
	"context"
	"sync"
	"time"
)

// The wheel turns by one slot every wheelTick. A timer for later than a whole turn
// is called once a turn until its time has come.
const (
	wheelTick  = 250 * time.Millisecond
	wheelSlots = 256
	notInWheel = -1
)

// timer is its owner's place in the wheel.
type timer struct {
	owner      timed
	slot       int // notInWheel, or which
	prev, next *timer
}

// timed is who has a timer.
type timed interface {
	// meetDeadlines does what the deadlines that have passed call for, and
	// returns the next one; zero: none.
	meetDeadlines(now time.Time) (next time.Time)
}

// wheel calls each session's meetDeadlines at the time it asked for: one ticker
// for all pings, timeouts and expiries of all connections, and no allocation for
// any of them.
type wheel struct {
	mu    sync.Mutex
	began time.Time
	turn  int // ticks that have been handled
	slots [wheelSlots]*timer

	turning sync.Mutex // comes before mu
	work    []*timer   // those that are being called, guarded by turning
}

func newWheel() *wheel { return &wheel{began: time.Now()} }

// set has the timer's owner called at the time, or up to a tick later, and not at
// any time set before.
func (w *wheel) set(t *timer, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(t)
	ticks := int(at.Sub(w.began)/wheelTick) + 1
	ticks = min(max(ticks, w.turn+1), w.turn+wheelSlots-1)
	t.slot = ticks % wheelSlots
	t.next = w.slots[t.slot]
	if t.next != nil {
		t.next.prev = t
	}
	w.slots[t.slot] = t
}

// stop takes the timer out.
func (w *wheel) stop(t *timer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(t)
}

func (w *wheel) unlink(t *timer) {
	if t.slot == notInWheel {
		return
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		w.slots[t.slot] = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	t.slot, t.prev, t.next = notInWheel, nil, nil
}

// run turns the wheel until ctx is done.
func (w *wheel) run(ctx context.Context) {
	tick := time.NewTicker(wheelTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			w.advance(now)
		}
	}
}

// advance calls the owners of all timers up to now.
func (w *wheel) advance(now time.Time) {
	w.turning.Lock()
	defer w.turning.Unlock()
	w.mu.Lock()
	for until := int(now.Sub(w.began) / wheelTick); w.turn < until; {
		w.turn++
		for slot := w.turn % wheelSlots; w.slots[slot] != nil; {
			w.work = append(w.work, w.slots[slot])
			w.unlink(w.slots[slot])
		}
	}
	w.mu.Unlock()
	for i, t := range w.work {
		if next := t.owner.meetDeadlines(now); !next.IsZero() {
			w.set(t, next)
		}
		w.work[i] = nil
	}
	w.work = w.work[:0]
}
