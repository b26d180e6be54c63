package rabbit

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// broker keeps one broker connected: when a connection ends it makes the next.
type broker struct {
	*Consumer
	all      Config // [amqp]
	cfg      Config // what is of it for this broker
	name     string
	log      *slog.Logger
	counters *exchangeCounters
	// exchanges belong to the connection that there is.
	exchanges *exchanges
	// former are the queues that the group may have had before, under other
	// configurations, until they are known to be gone.
	former      []Config
	formerError string // last logged

	reading  sync.Mutex // guards what refresh has read
	target   target
	unusable string // why its files, as they are now, are not in use

	mu   sync.Mutex
	conn *connection // nil while there is none
	err  error       // why there is none, or why the last one ended
}

// errDrained ends a connection that has nothing left to do.
var errDrained = errors.New("drained")

func newBroker(c *Consumer, all Config, t target) *broker {
	name := t.String()
	c.metrics.connected.WithLabelValues(name).Set(0)
	c.metrics.reconnects.WithLabelValues(name)
	return &broker{Consumer: c, all: all, cfg: t.cfg, target: t, name: name, log: c.log.With("broker", name),
		counters: newExchangeCounters(c.metrics, t.cfg.Exchanges), exchanges: newExchanges(t.cfg.Exchanges), former: t.cfg.former(), err: errors.New("not connected yet")}
}

// run returns when ctx has ended or everything is drained. It tries each host once
// before it pauses.
func (b *broker) run(ctx context.Context) {
	for failures := 0; ; {
		started, t := time.Now(), b.refresh()
		err := b.serve(ctx, t, t.hosts[failures%len(t.hosts)])
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
		if failures%len(t.hosts) == 0 {
			pause = backoff(b.cfg.Reconnect.Min, b.cfg.Reconnect.Max, failures/len(t.hosts)-1)
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

// filesInterval is how often URL files and certificates are read beside each
// connection, so that one that cannot be used is noticed before the next.
const filesInterval = 5 * time.Second

func (b *broker) watchFiles(ctx context.Context) {
	tick := time.NewTicker(filesInterval)
	defer tick.Stop()
	for {
		b.refresh()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// refresh reads the broker's URL and certificates again, and returns what the next
// connection is made with. What cannot be read stays as it was.
func (b *broker) refresh() target {
	b.reading.Lock()
	defer b.reading.Unlock()
	t, err := b.read()
	unusable := ""
	if err != nil {
		unusable = err.Error()
	} else {
		if t.state != b.target.state {
			b.log.Info("read changed credentials or certificates; the next connection uses them")
		}
		b.target = t
	}
	if unusable != "" && unusable != b.unusable {
		b.log.Error("changed credentials or certificates cannot be used; the ones before stay in use", "error", err)
	}
	b.unusable = unusable
	b.metrics.file(b.name, b.target, unusable == "")
	return b.target
}

// read reads what the configuration says of this broker now.
func (b *broker) read() (target, error) {
	all, err := b.all.addresses()
	if err != nil {
		return target{}, err
	}
	i := slices.IndexFunc(all, func(t target) bool { return t.same(b.target.address) })
	if i < 0 {
		return target{}, errors.New("the broker is no longer named; restart the router to let go of it")
	}
	t := all[i]
	return t, t.load()
}

// serve runs one connection to its end.
func (b *broker) serve(ctx context.Context, t target, h host) error {
	c, err := connect(ctx, b, t, h)
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
