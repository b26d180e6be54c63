package rabbit

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// broker keeps one broker connected: when a connection ends it makes the next.
type broker struct {
	*Consumer
	address
	name     string
	log      *slog.Logger
	counters *exchangeCounters

	mu   sync.Mutex
	conn *connection // nil while there is none
	err  error       // why there is none, or why the last one ended
}

// errDrained ends a connection that has nothing left to do.
var errDrained = errors.New("drained")

func newBroker(c *Consumer, a address) *broker {
	name := a.String()
	c.metrics.connected.WithLabelValues(name).Set(0)
	c.metrics.reconnects.WithLabelValues(name)
	return &broker{Consumer: c, address: a, name: name, log: c.log.With("broker", name),
		counters: newExchangeCounters(c.metrics, c.cfg.Exchanges), err: errors.New("not connected yet")}
}

// run returns when ctx has ended or everything is drained. It tries each host once
// before it pauses.
func (b *broker) run(ctx context.Context) {
	for failures := 0; ; {
		started := time.Now()
		err := b.serve(ctx, b.hosts[failures%len(b.hosts)])
		if ctx.Err() != nil || errors.Is(err, errDrained) {
			b.ended(errors.New("stopped"))
			return
		}
		b.ended(err)
		b.metrics.reconnects.WithLabelValues(b.name).Inc()
		// The next connection may follow at once only if this one lasted: one that
		// ends as soon as it consumes must not become a tight loop.
		if time.Since(started) > b.cfg.Reconnect.Max {
			failures = 0
		}
		failures++
		var pause time.Duration
		if failures%len(b.hosts) == 0 {
			pause = backoff(b.cfg.Reconnect.Min, b.cfg.Reconnect.Max, failures/len(b.hosts)-1)
		}
		b.log.Warn("no notifications from this broker; trying again", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		case <-b.draining:
			b.ended(errors.New("stopped"))
			return
		}
	}
}

// backoff is low doubled n times, at most high, and shortened at random by up to
// half, so that routers do not reconnect in step.
func backoff(low, high time.Duration, n int) time.Duration {
	d := low
	for ; n > 0 && d < high; n-- {
		d *= 2
	}
	d = min(d, high)
	return d - rand.N(d/2+1)
}

// serve runs one connection to its end.
func (b *broker) serve(ctx context.Context, h host) error {
	c, err := connect(ctx, b, h)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.conn, b.err = c, nil
	b.mu.Unlock()
	b.metrics.connected.WithLabelValues(b.name).Set(1)
	b.log.Info("consuming notifications", "host", h.addr, "queue", b.cfg.QueueName())
	return c.run(ctx)
}

func (b *broker) ended(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conn, b.err = nil, err
	b.metrics.connected.WithLabelValues(b.name).Set(0)
}

func (b *broker) unacked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil {
		return 0
	}
	return b.conn.unacked.count()
}

func (b *broker) status() Status {
	b.mu.Lock()
	c, err := b.conn, b.err
	b.mu.Unlock()
	st := Status{Broker: b.name, Queue: b.cfg.QueueName(), Bound: []string{}, Missing: b.cfg.Exchanges}
	if err != nil {
		st.Error = err.Error()
	}
	if c != nil {
		st.Host, st.Consuming, st.Unacked = c.host.addr, true, c.unacked.count()
		st.Bound, st.Missing = c.topology.status()
	}
	return st
}
