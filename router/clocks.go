package router

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// clockAhead and clockBehind are how far a publisher's time may be from the arrival
	// of its notification. A notification may wait somewhere, but never comes early.
	clockAhead, clockBehind = 2 * time.Second, 10 * time.Second
	// freshFor is how long one notification that did not wait shows that others from
	// the same time should not have, either.
	freshFor = 5 * time.Second
	// wrongFor is how long a clock counts as wrong after it was last seen so, and how
	// seldom the log says it again.
	wrongFor = time.Hour
	// maxClocks bounds how many publishers are remembered, and so the metric's labels.
	maxClocks = 32
	// maxPublisher bounds their names, in bytes.
	maxPublisher = 128
)

// clocks knows which publishers' clocks are wrong. Nearly every notification finds
// that its publisher's is right, which takes no lock.
type clocks struct {
	log   *slog.Logger
	fresh atomic.Int64 // when a notification that did not wait last came, in Unix nanoseconds
	known atomic.Int32 // the length of wrong

	mu     sync.Mutex
	wrong  map[string]*wrongClock
	logged time.Time
}

type wrongClock struct {
	skew         time.Duration // ahead of ours
	seen, logged time.Time
}

func newClocks(log *slog.Logger, reg prometheus.Registerer) *clocks {
	c := &clocks{log: log, wrong: map[string]*wrongClock{}}
	reg.MustRegister(c)
	return c
}

// observe takes how far ahead of its arrival a notification says that it was sent.
func (c *clocks) observe(publisher string, skew time.Duration, now time.Time) {
	switch {
	case skew > clockAhead:
		c.note(publisher, skew, now)
	case skew >= -clockAhead:
		c.fresh.Store(now.UnixNano())
		if c.known.Load() > 0 {
			c.forget(publisher)
		}
	case skew < -clockBehind && now.UnixNano()-c.fresh.Load() < int64(freshFor):
		// It is not that all wait in a queue.
		c.note(publisher, skew, now)
	}
}

// note remembers a wrong clock, and logs it now and then.
func (c *clocks) note(publisher string, skew time.Duration, now time.Time) {
	publisher = label(publisher)
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.wrong[publisher]
	if w == nil {
		if len(c.wrong) >= maxClocks {
			return
		}
		w = new(wrongClock)
		c.wrong[strings.Clone(publisher)] = w
		c.known.Store(int32(len(c.wrong)))
	}
	w.skew, w.seen = skew, now
	if now.Sub(w.logged) < wrongFor || now.Sub(c.logged) < time.Minute {
		return
	}
	w.logged, c.logged = now, now
	c.log.Warn("a publisher's clock differs from ours, so pages may show its changes in the wrong order; look after its NTP",
		"publisher", publisher, "ahead", skew.Round(time.Millisecond))
}

func (c *clocks) forget(publisher string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.wrong, label(publisher))
	c.known.Store(int32(len(c.wrong)))
}

func label(publisher string) string {
	return strings.ToValidUTF8(publisher[:min(len(publisher), maxPublisher)], "?")
}

var skewDesc = prometheus.NewDesc("horizon_realtime_clock_skew_seconds",
	"How far the clock of a publisher is ahead of ours, for at most 32 publishers whose clocks are wrong: more than 2 s ahead, or 10 s behind.",
	[]string{"publisher"}, nil)

// Describe is for Prometheus.
func (c *clocks) Describe(ch chan<- *prometheus.Desc) { ch <- skewDesc }

// Collect is for Prometheus.
func (c *clocks) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for publisher, w := range c.wrong {
		if time.Since(w.seen) > wrongFor {
			delete(c.wrong, publisher)
			continue
		}
		ch <- prometheus.MustNewConstMetric(skewDesc, prometheus.GaugeValue, w.skew.Seconds(), publisher)
	}
	c.known.Store(int32(len(c.wrong)))
}
