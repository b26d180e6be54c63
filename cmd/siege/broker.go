package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router"
	"horizon-realtime/router/rabbit/rabbittest"
)

// way is how notifications come to the router.
type way interface {
	// source is what the router is to take them from.
	source(cfg router.Config, log *slog.Logger, reg prometheus.Registerer) (router.Source, error)
	// send is called by one goroutine, once the source is ready.
	send(ctx context.Context, body []byte) error
	close() error
}

// inProcess hands them to the router itself.
type inProcess struct {
	taken chan router.Take
	take  router.Take
	owed  sync.WaitGroup
	ready chan struct{}
}

func newInProcess() *inProcess {
	return &inProcess{taken: make(chan router.Take, 1), ready: make(chan struct{})}
}

func (p *inProcess) source(router.Config, *slog.Logger, prometheus.Registerer) (router.Source, error) {
	return p, nil
}

// Run implements router.Source.
func (p *inProcess) Run(ctx context.Context, take router.Take) error {
	p.taken <- take
	close(p.ready)
	<-ctx.Done()
	p.owed.Wait()
	return nil
}

// Ready implements router.Source.
func (p *inProcess) Ready() error {
	select {
	case <-p.ready:
		return nil
	default:
		return errors.New("it does not run yet")
	}
}

func (p *inProcess) send(_ context.Context, body []byte) error {
	if p.take == nil {
		p.take = <-p.taken
	}
	p.owed.Add(1)
	p.take(body, "", owed{p})
	return nil
}

func (p *inProcess) close() error { return nil }

// owed is a notification that is not settled yet.
type owed struct{ p *inProcess }

// Ack implements router.Delivery.
func (o owed) Ack() { o.p.owed.Done() }

// Reject implements router.Delivery. What is rejected is delivered to nobody, and so
// counted as lost.
func (o owed) Reject(string) { o.p.owed.Done() }

// broker is a RabbitMQ of the siege's own, with the exchange of nova.
type broker struct {
	node    *rabbittest.Node
	conn    *amqp.Connection
	channel *amqp.Channel
}

const exchange = "nova"

// startBroker keeps everything in dir.
//
// # Errors
//
// RabbitMQ is not installed, or does not come up.
func startBroker(dir string) (_ *broker, err error) {
	b := new(broker)
	if b.node, err = rabbittest.New(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.conn, err = amqp.Dial(b.node.URL()); err != nil {
		return nil, fmt.Errorf("connect to RabbitMQ: %w", err)
	}
	if b.channel, err = b.conn.Channel(); err != nil {
		return nil, fmt.Errorf("open a channel of RabbitMQ: %w", err)
	}
	if err = b.channel.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, false, false, false, nil); err != nil {
		return nil, fmt.Errorf("declare the exchange %s: %w", exchange, err)
	}
	return b, nil
}

func (b *broker) source(cfg router.Config, log *slog.Logger, reg prometheus.Registerer) (router.Source, error) {
	cfg.AMQP.URLs, cfg.AMQP.Exchanges = []string{b.node.URL()}, []string{exchange}
	return router.NewRabbit(cfg, log, reg)
}

func (b *broker) send(ctx context.Context, body []byte) error {
	return b.channel.PublishWithContext(ctx, exchange, "notifications.info", false, false, amqp.Publishing{ContentType: "application/json", Body: body})
}

func (b *broker) close() error {
	if b.conn != nil {
		_ = b.conn.Close()
	}
	return b.node.Close()
}

// untilReady waits for a source.
//
// # Errors
//
// Why it is not ready within patience.
func untilReady(ctx context.Context, s router.Source) error {
	for deadline := time.Now().Add(patience); ; {
		err := s.Ready()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
