package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Consumer consumes the group's queue on every broker. Its methods may be
// called concurrently; Run only once.
type Consumer struct {
	handler Handler
	log     *slog.Logger
	metrics *metrics
	brokers []*broker

	running atomic.Bool
	stopped chan struct{} // closed when Run returns
	drain   func()        // closes draining
	// draining is closed when no further delivery is wanted.
	draining chan struct{}
}

// New reads the URLs and certificates that cfg names. It connects to nothing.
//
// # Errors
//
// An invalid configuration, an unreadable file, no URL at all, metrics that are
// registered already.
func New(cfg Config, handler Handler, log *slog.Logger, reg prometheus.Registerer) (*Consumer, error) {
	targets, err := cfg.targets()
	if err != nil {
		return nil, err
	}
	c := &Consumer{handler: handler, log: log, stopped: make(chan struct{}), draining: make(chan struct{})}
	c.drain = sync.OnceFunc(func() { close(c.draining) })
	if c.metrics, err = newMetrics(reg, c.unacked); err != nil {
		return nil, err
	}
	for _, t := range targets {
		c.brokers = append(c.brokers, newBroker(c, cfg, t))
	}
	return c, nil
}

// Run consumes until ctx ends or Drain has finished, and returns nil. It never
// gives up reconnecting. When ctx ends, what is settled is acknowledged, and
// RabbitMQ delivers the rest again; Run returns once the handler has.
func (c *Consumer) Run(ctx context.Context) error {
	c.running.Store(true)
	defer close(c.stopped)
	var wg sync.WaitGroup
	for _, b := range c.brokers {
		wg.Go(func() {
			files, stop := context.WithCancel(ctx)
			wg.Go(func() { b.watchFiles(files) })
			defer stop()
			b.run(ctx)
		})
	}
	wg.Wait()
	return nil
}

// Drain stops taking deliveries, and returns once those taken are settled and
// acknowledged. Then Run returns as well.
//
// # Errors
//
// How many deliveries are not settled, if ctx ends first. Run goes on waiting for
// them until its own context ends.
func (c *Consumer) Drain(ctx context.Context) error {
	c.drain()
	if !c.running.Load() {
		return nil
	}
	select {
	case <-c.stopped:
		return nil
	case <-ctx.Done():
		left := 0
		for _, n := range c.unacked() {
			left += n
		}
		return fmt.Errorf("drain the amqp consumer: %d deliveries are not settled: %w", left, ctx.Err())
	}
}

// Ready is nil while notifications are consumed from at least one broker. Neither
// a missing exchange nor another cell's broker that is down makes a difference.
//
// # Errors
//
// What is wrong with each broker.
func (c *Consumer) Ready() error {
	select {
	case <-c.draining:
		return errors.New("amqp: draining")
	default:
	}
	var errs []error
	for _, s := range c.Status() {
		if s.Consuming {
			return nil
		}
		errs = append(errs, fmt.Errorf("amqp: broker %s: %s", s.Broker, s.Error))
	}
	return errors.Join(errs...)
}

// Status is what an operator wants to know about one broker.
type Status struct {
	// Broker is its hosts and vhost, without credentials.
	Broker string `json:"broker"`
	// Host is the one connected to, host:port.
	Host      string `json:"host,omitempty"`
	Consuming bool   `json:"consuming"`
	// Error says why it is not consuming, or why the last connection ended.
	Error string `json:"error,omitempty"`
	Queue string `json:"queue"`
	// Bound and Missing divide the configured exchanges.
	Bound   []string `json:"bound"`
	Missing []string `json:"missing"`
	Unacked int      `json:"unacked"`
}

// Status is about each broker, in the order of the configuration.
func (c *Consumer) Status() []Status {
	all := make([]Status, len(c.brokers))
	for i, b := range c.brokers {
		all[i] = b.status()
	}
	return all
}

func (c *Consumer) unacked() map[string]int {
	all := make(map[string]int, len(c.brokers))
	for _, b := range c.brokers {
		all[b.name] = b.unacked()
	}
	return all
}
