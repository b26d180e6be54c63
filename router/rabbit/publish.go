package rabbit

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// maxUnconfirmed is how many notifications may wait for RabbitMQ's confirmation.
const maxUnconfirmed = 256

// Publisher publishes notifications as services do, with confirmations. One
// goroutine at a time may use it.
type Publisher struct {
	cfg     Config
	declare bool
	link    link
	channel *amqp.Channel // in confirm mode
	closed  chan *amqp.Error
	// exchanges that are known to exist.
	exchanges   map[string]bool
	unconfirmed []*amqp.DeferredConfirmation
	confirmed   int
}

// DialPublisher connects to the broker at url, whose syntax is that of
// Config.URLs; of several hosts it takes the first that answers. With declare,
// it makes missing exchanges as services do by default: topic, not durable.
//
// # Errors
//
// A bad URL, a certificate that cannot be read, no host that answers.
func DialPublisher(ctx context.Context, url string, tlsFiles TLSConfig, declare bool) (*Publisher, error) {
	cfg := DefaultConfig()
	cfg.Group, cfg.TLS, cfg.URLs = "publisher", tlsFiles, []string{url}
	targets, err := cfg.targets()
	if err != nil {
		return nil, err
	}
	t := targets[0]
	p := &Publisher{cfg: cfg, declare: declare, exchanges: make(map[string]bool)}
	var errs []error
	for _, h := range t.hosts {
		p.link, err = dial(ctx, t, h)
		if err == nil {
			break
		}
		errs = append(errs, err)
	}
	if len(errs) == len(t.hosts) {
		return nil, errors.Join(errs...)
	}
	if err := p.link.within(ctx, cfg.SetupTimeout, p.open); err != nil {
		p.link.close()
		return nil, err
	}
	return p, nil
}

func (p *Publisher) open() (err error) {
	if p.channel, err = p.link.Channel(); err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	p.closed = p.channel.NotifyClose(make(chan *amqp.Error, 1))
	if err := p.channel.Confirm(false); err != nil {
		return fmt.Errorf("ask for confirmations: %w", err)
	}
	return nil
}

// Publish sends r. If too many notifications are unconfirmed, it first waits for
// the oldest.
//
// # Errors
//
// An exchange that does not exist, unless it may be declared; ctx has ended; the
// broker closed the connection or refused a notification.
func (p *Publisher) Publish(ctx context.Context, r *Recorded) error {
	if !p.exchanges[r.Exchange] {
		if err := p.lookUp(ctx, r.Exchange); err != nil {
			return err
		}
		p.exchanges[r.Exchange] = true
	}
	if len(p.unconfirmed) == maxUnconfirmed {
		// Half of them, so that the broker is kept busy meanwhile.
		if err := p.confirm(ctx, maxUnconfirmed/2); err != nil {
			return err
		}
	}
	c, err := p.channel.PublishWithDeferredConfirm(r.Exchange, r.RoutingKey, false, false, r.publishing())
	if err != nil {
		return p.explain(fmt.Errorf("publish to exchange %s: %w", r.Exchange, err))
	}
	p.unconfirmed = append(p.unconfirmed, c)
	return nil
}

// Flush waits until everything published is confirmed.
//
// # Errors
//
// Those of Publish.
func (p *Publisher) Flush(ctx context.Context) error { return p.confirm(ctx, len(p.unconfirmed)) }

// Confirmed is how many notifications RabbitMQ has confirmed.
func (p *Publisher) Confirmed() int {
	n := 0
	for n < len(p.unconfirmed) && p.unconfirmed[n].Acked() {
		n++
	}
	p.confirmed += n
	p.unconfirmed = append(p.unconfirmed[:0], p.unconfirmed[n:]...)
	return p.confirmed
}

// Close disconnects. What is not flushed may or may not have arrived.
func (p *Publisher) Close() { p.link.close() }

// confirm waits for the oldest n confirmations.
func (p *Publisher) confirm(ctx context.Context, n int) error {
	for _, c := range p.unconfirmed[:n] {
		accepted, err := c.WaitContext(ctx)
		if err != nil {
			return fmt.Errorf("wait for confirmation: %w", err)
		}
		if !accepted {
			return p.explain(errors.New("publish: not accepted by the broker"))
		}
		p.confirmed++
	}
	p.unconfirmed = append(p.unconfirmed[:0], p.unconfirmed[n:]...)
	return nil
}

// explain adds why the broker has closed the channel, if it has.
func (p *Publisher) explain(err error) error {
	if !p.channel.IsClosed() {
		return err
	}
	select {
	case reason := <-p.closed:
		if reason != nil {
			return fmt.Errorf("%w: %w", err, reason)
		}
	case <-time.After(closeTimeout):
	}
	return err
}

// lookUp asks for an exchange on a channel that RabbitMQ may close over it.
func (p *Publisher) lookUp(ctx context.Context, name string) error {
	return p.link.within(ctx, p.cfg.SetupTimeout, func() error {
		ch, err := p.link.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		err = ch.ExchangeDeclarePassive(name, amqp.ExchangeTopic, false, false, false, false, nil)
		if hasCode(err, amqp.NotFound) {
			if !p.declare {
				return fmt.Errorf("exchange %s does not exist; start its service, or have it declared (--declare)", name)
			}
			if ch, err = p.link.Channel(); err != nil {
				return fmt.Errorf("open a channel: %w", err)
			}
			err = ch.ExchangeDeclare(name, amqp.ExchangeTopic, false, false, false, false, nil)
		}
		if err != nil {
			return fmt.Errorf("look up exchange %s: %w", name, err)
		}
		return ch.Close()
	})
}
