package session

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

func TestArrivals(t *testing.T) {
	began := time.Now()
	a := newArrivals(3)
	let := func(after time.Duration, tries int) (n int) {
		for range tries {
			if a.take(began.Add(after)) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		after       time.Duration
		tries, want int
	}{
		{0, 100, 3 * arrivalSeconds},
		{time.Second, 100, 3},
		{1500 * time.Millisecond, 100, 1},
		{2 * time.Second, 100, 2},
		{time.Hour, 1000, 3 * arrivalSeconds},
	} {
		if n := let(step.after, step.tries); n != step.want {
			t.Errorf("after %s %d of %d are let in, not %d", step.after, n, step.tries, step.want)
		}
	}
	a.giveBack(began.Add(time.Hour))
	a.giveBack(began.Add(time.Hour))
	if n := let(time.Hour, 100); n != 2 {
		t.Errorf("after two were given back %d are let in", n)
	}
	a = newArrivals(0)
	a.giveBack(began)
	if n := let(time.Hour, 100); n != 100 {
		t.Errorf("without a limit %d of 100 are let in", n)
	}
}

// TestHerd: some of a herd of clients are told to try again, nothing else, and
// all are let in as they do.
func TestHerd(t *testing.T) {
	cfg := DefaultConfig()
	cfg.ConnectsPerSecond = 1
	w := start(t, cfg)
	connect := func() bool {
		c := w.open(t)
		defer c.leave()
		c.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
		line := c.next()
		if string(line) == `{"id":1,"error":{"code":111,"message":"too many requests","temporary":true}}` {
			return false
		}
		if m := clienttest.Parse(t, line); m.Connect == nil {
			t.Fatalf("%s", line)
		}
		return true
	}
	for range 2 * arrivalSeconds { // who takes nothing from the others
		stranger := w.open(t)
		stranger.say(`{"id":1,"connect":{"token":"nobody"}}`)
		if code := stranger.ends(); code != 3500 {
			t.Fatalf("a stranger ended with %d", code)
		}
	}
	refused := 0
	for range 2 * arrivalSeconds {
		if !connect() {
			refused++
		}
	}
	if refused == 0 || refused > arrivalSeconds {
		t.Errorf("%d of %d were refused", refused, 2*arrivalSeconds)
	}
	testwait.Until(t, "there is room again", func() bool {
		if connect() {
			return true
		}
		refused++
		return false
	})
	if n := testutil.ToFloat64(w.Refused("rate")); int(n) != refused {
		t.Errorf("%v are counted, not %d", n, refused)
	}
}
