package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

// alarm is a timer's owner that has so many deadlines, every so often.
type alarm struct {
	timer  timer
	times  int
	period time.Duration
	called []time.Time
}

func (a *alarm) meetDeadlines(now time.Time) (next time.Time) {
	a.called = append(a.called, now)
	if a.times--; a.times > 0 {
		next = now.Add(a.period)
	}
	return next
}

// TestWheel has owners called when they asked to be, up to a tick later: next to
// each other, several turns away, moved, and stopped.
func TestWheel(t *testing.T) {
	w := newWheel()
	r := rand.New(rand.NewPCG(1, 2))
	turn := wheelSlots * wheelTick
	alarms, at := make([]*alarm, 300), map[*alarm]time.Time{}
	for i := range alarms {
		a := &alarm{times: 1}
		a.timer = timer{owner: a, slot: notInWheel}
		alarms[i] = a
		w.set(&a.timer, w.began.Add(time.Duration(r.Int64N(int64(turn)))))
		switch i % 3 {
		case 1:
			w.set(&a.timer, w.began.Add(turn/2))
			at[a] = w.began.Add(turn / 2)
		case 2:
			w.stop(&a.timer)
			w.stop(&a.timer)
		}
	}
	often := &alarm{times: 3, period: 2 * wheelTick}
	often.timer = timer{owner: often, slot: notInWheel}
	w.set(&often.timer, w.began)
	for now := w.began; now.Before(w.began.Add(2 * turn)); now = now.Add(wheelTick) {
		w.advance(now)
	}
	for i, a := range alarms {
		if want := map[bool]int{true: 0, false: 1}[i%3 == 2]; len(a.called) != want {
			t.Errorf("alarm %d was called %d times", i, len(a.called))
		} else if when, ok := at[a]; ok && (a.called[0].Before(when) || a.called[0].After(when.Add(2*wheelTick))) {
			t.Errorf("alarm %d was called at %s, not %s", i, a.called[0].Sub(w.began), when.Sub(w.began))
		}
	}
	if len(often.called) != 3 || often.called[2].Sub(often.called[0]) < 2*often.period {
		t.Errorf("called at %v", often.called)
	}
	for _, first := range w.slots {
		if first != nil {
			t.Fatal("a timer is left")
		}
	}
}

// TestWheelFarAhead: an owner whose deadline is later than a whole turn is called
// once a turn until then, and must check the time.
func TestWheelFarAhead(t *testing.T) {
	w := newWheel()
	turn := wheelSlots * wheelTick
	a := &patient{until: w.began.Add(3 * turn)}
	a.timer = timer{owner: a, slot: notInWheel}
	w.set(&a.timer, a.until)
	for now := w.began; now.Before(w.began.Add(4 * turn)); now = now.Add(wheelTick) {
		w.advance(now)
	}
	if a.met.Before(a.until) || a.met.After(a.until.Add(2*wheelTick)) {
		t.Errorf("met at %s, not %s", a.met.Sub(w.began), 3*turn)
	}
}

type patient struct {
	timer      timer
	until, met time.Time
}

func (p *patient) meetDeadlines(now time.Time) time.Time {
	if now.Before(p.until) {
		return p.until
	}
	p.met = now
	return time.Time{}
}
