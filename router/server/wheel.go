package server

import (
	"context"
	"sync"
	"time"
)

// A wheel turns a slot every wheelTick; what is due later than a whole turn is
// looked at in between.
const (
	wheelTick  = 250 * time.Millisecond
	wheelSlots = 256
)

// timer is a session's place in the wheel.
type timer struct {
	owner      *session
	slot       int // -1: not in the wheel
	prev, next *timer
}

// wheel calls each session's due when it asked for it: one ticker for all pings,
// timeouts and expiries of all connections, and no allocation for any.
type wheel struct {
	mu    sync.Mutex
	began time.Time
	turn  int // ticks that have been handled
	slots [wheelSlots]*timer

	turning sync.Mutex
	work    []*session // those who are being called, guarded by turning
}

func newWheel() *wheel { return &wheel{began: time.Now()} }

// set has the timer's owner called at the time, up to a tick later, and not
// at any time set before.
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
	if t.slot < 0 {
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
	t.slot, t.prev, t.next = -1, nil, nil
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

// advance calls everybody who is due.
func (w *wheel) advance(now time.Time) {
	w.turning.Lock()
	defer w.turning.Unlock()
	w.mu.Lock()
	for until := int(now.Sub(w.began) / wheelTick); w.turn < until; {
		w.turn++
		for slot := w.turn % wheelSlots; w.slots[slot] != nil; {
			w.work = append(w.work, w.slots[slot].owner)
			w.unlink(w.slots[slot])
		}
	}
	w.mu.Unlock()
	for i, s := range w.work {
		if next := s.due(now); !next.IsZero() {
			w.set(&s.timer, next)
		}
		w.work[i] = nil
	}
	w.work = w.work[:0]
}
