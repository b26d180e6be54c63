package router

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/rabbit"
)

// Delivery is one message from a source: RabbitMQ, or the demo's simulated cloud.
// The router calls either Ack or Reject, once, from any goroutine.
type Delivery interface {
	// Ack says that the message is done with.
	Ack()
	// Reject puts the message aside for a person to look at, with the reason. What
	// stands before the reason's first colon is one of a few words.
	Reject(reason string)
}

// Take accepts one message from a source. It blocks while too many wait for the
// message's worker. The body belongs to the router until the delivery is settled.
type Take func(body []byte, compression string, d Delivery)

// Source is where messages come from.
type Source interface {
	// Run hands over messages until ctx is done, and returns when all of them are
	// settled.
	Run(ctx context.Context, take Take) error
	// Ready returns why no messages are coming, or nil.
	Ready() error
}

// rabbitSource is the notifications of a cloud, from its brokers.
type rabbitSource struct {
	consumer *rabbit.Consumer
	take     Take
	drain    time.Duration
	log      *slog.Logger
}

// NewRabbit makes the source that consumes what [amqp] names.
//
// # Errors
//
// A URL or a certificate that cannot be read.
func NewRabbit(cfg Config, log *slog.Logger, reg prometheus.Registerer) (Source, error) {
	s := &rabbitSource{drain: cfg.Router.DrainTimeout, log: log}
	var err error
	s.consumer, err = rabbit.New(cfg.AMQP, s.handle, log, reg)
	return s, err
}

func (s *rabbitSource) handle(d *rabbit.Delivery) { s.take(d.Body, d.Compression, d) }

func (s *rabbitSource) Ready() error { return s.consumer.Ready() }

// Run consumes until ctx is done, and then for at most the drain timeout until
// everything taken is acknowledged.
func (s *rabbitSource) Run(ctx context.Context, take Take) error {
	s.take = take
	hard, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		deadline, cancel := context.WithTimeout(hard, s.drain)
		defer cancel()
		if err := s.consumer.Drain(deadline); err != nil && hard.Err() == nil {
			s.log.Warn("left messages to RabbitMQ, which will deliver them again", "error", err)
		}
		stop()
	})()
	return s.consumer.Run(hard)
}
