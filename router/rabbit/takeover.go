package rabbit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// unbindPause is how long publishes that a queue's bindings have routed may be on
	// their way to it: deleting it under them fails them at their publisher.
	unbindPause = 100 * time.Millisecond
	// emptyCheck is how often a queue that is worked off is looked at.
	emptyCheck = 50 * time.Millisecond
)

// errInUse says that another router of the group still consumes a former queue.
var errInUse = errors.New("another router consumes it")

// exchanges010 are the default ones of version 0.1.0.
var exchanges010 = []string{"nova", "neutron", "openstack", "glance", "keystone", "heat", "octavia", "magnum", "designate", "ironic"}

// former are the configurations whose queues the group may have had before, and
// with which this one has to end: the other type, and the default exchanges of
// 0.1.0. Of any other change nothing is known here.
func (c Config) former() []Config {
	other := c
	other.Queue.Type = "classic"
	if c.Queue.Type == "classic" {
		other.Queue.Type = "quorum"
	}
	all := []Config{other}
	if slices.Equal(c.Exchanges, DefaultConfig().Exchanges) {
		old := c
		old.Queue.Type, old.Exchanges = "classic", exchanges010
		all = append(all, old)
	}
	return all
}

// takeOver works off the group's former queues and deletes them, so that nothing
// that was published while the configuration changed is lost. It is called when the
// present queue is bound, and before it is consumed, so that order is kept. What
// could not be done is tried again later.
func (b *broker) takeOver(ctx context.Context, h host) {
	if len(b.former) == 0 {
		return
	}
	l, err := dial(ctx, b.refresh(), h)
	if err != nil {
		return // the other connection will end, too
	}
	defer l.close()
	b.former = slices.DeleteFunc(b.former, func(f Config) bool {
		err := b.takeOverFrom(ctx, l, h, f)
		if err != nil && ctx.Err() == nil && b.formerError != err.Error() {
			b.formerError = err.Error()
			b.log.Warn("the group's former queue is not worked off; trying again later", "queue", f.QueueName(), "error", err)
		}
		return err == nil
	})
}

// takeOverLater tries again what takeOver could not do.
func (b *broker) takeOverLater(ctx context.Context, h host) {
	pause := time.NewTicker(min(lookAgain, b.cfg.ExchangeRetryMax))
	defer pause.Stop()
	for len(b.former) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
			b.takeOver(ctx, h)
		}
	}
}

func (b *broker) takeOverFrom(ctx context.Context, l link, h host, former Config) error {
	name := former.QueueName()
	there, err := b.detach(ctx, l, former)
	if err != nil || !there {
		return errors.Join(err, b.moveDeadLetters(ctx, l, former))
	}
	b.log.Info("working off the group's former queue", "queue", name)
	if err := b.workOff(ctx, h, name); !errors.Is(err, errDrained) {
		return err
	}
	err = b.on(ctx, l, func(ch *amqp.Channel) error { return deleteEmpty(ch, name) })
	if err == nil {
		b.log.Info("the group's former queue is empty and deleted", "queue", name)
	}
	return errors.Join(err, b.moveDeadLetters(ctx, l, former))
}

// deleteEmpty deletes a queue that is unbound, has no message and no consumer. A quorum
// queue has no flags for that.
func deleteEmpty(ch *amqp.Channel, name string) error {
	for range 20 { // a connection that has just closed may still count as a consumer
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		switch {
		case hasCode(err, amqp.NotFound):
			return nil
		case err != nil:
			return err
		case q.Messages > 0: // the router is about to stop
			return errors.New("it is not empty")
		case q.Consumers == 0:
			_, err := ch.QueueDelete(name, false, false, false)
			return err
		}
		time.Sleep(unbindPause)
	}
	return errInUse
}

// on calls do with a channel of its own: RabbitMQ closes one on which something that
// does not exist is asked for.
func (b *broker) on(ctx context.Context, l link, do func(*amqp.Channel) error) error {
	return l.within(ctx, b.cfg.SetupTimeout, func() error {
		ch, err := l.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		defer ch.Close()
		return do(ch)
	})
}

// detach unbinds a former queue from the exchanges that the present one is bound to.
// It reports whether there is such a queue, and fails if somebody consumes it.
func (b *broker) detach(ctx context.Context, l link, former Config) (there bool, err error) {
	name := former.QueueName()
	bound, _ := b.exchanges.status()
	err = b.on(ctx, l, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		if hasCode(err, amqp.NotFound) {
			return nil
		}
		if err == nil && q.Consumers > 0 {
			err = errInUse
		}
		if err != nil {
			return err
		}
		there = true
		for _, exchange := range former.Exchanges {
			if !slices.Contains(bound, exchange) {
				continue // it does not exist, so nothing is bound to it
			}
			if err := unbind(ch, name, exchange, former.Topics); err != nil {
				return err
			}
		}
		time.Sleep(unbindPause)
		return nil
	})
	return there, err
}

func unbind(ch *amqp.Channel, queue, exchange string, topics []string) error {
	for _, topic := range topics {
		if err := ch.QueueUnbind(queue, topic+".*", exchange, nil); err != nil {
			return fmt.Errorf("unbind queue %s from exchange %s: %w", queue, exchange, err)
		}
	}
	return nil
}

// workOff consumes a queue until it is empty, and then returns errDrained.
func (b *broker) workOff(ctx context.Context, h host, queue string) error {
	l, err := dial(ctx, b.refresh(), h)
	if err != nil {
		return err
	}
	c := newConnection(b, l, h, queue)
	c.beside = []func(context.Context){func(ctx context.Context) { c.fail(c.awaitEmpty(ctx)) }}
	if err := l.within(ctx, b.cfg.SetupTimeout, c.startConsuming); err != nil {
		l.close()
		return err
	}
	return c.run(ctx)
}

// awaitEmpty returns errDrained when the queue is empty and what came of it is
// settled.
func (c *connection) awaitEmpty(ctx context.Context) error {
	ch, err := c.link.Channel()
	if err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(emptyCheck):
		}
		q, err := ch.QueueDeclarePassive(c.queue, true, false, false, false, nil)
		if err != nil {
			return fmt.Errorf("look at queue %s: %w", c.queue, err)
		}
		if q.Messages == 0 && c.unacked.count() == 0 {
			return errDrained
		}
	}
}

// moveDeadLetters moves what is in the former queue for dead letters to the present
// one, if there is one, and deletes it.
func (b *broker) moveDeadLetters(ctx context.Context, l link, former Config) error {
	from, to := former.DeadLetterName(), b.cfg.DeadLetterName()
	if from == to || !b.cfg.DeadLetter.Enabled {
		return nil
	}
	return b.on(ctx, l, func(ch *amqp.Channel) error {
		if _, err := ch.QueueDeclarePassive(from, true, false, false, false, nil); err != nil {
			if hasCode(err, amqp.NotFound) {
				err = nil
			}
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return fmt.Errorf("ask for confirmations: %w", err)
		}
		for {
			m, ok, err := ch.Get(from, false)
			if err != nil {
				return fmt.Errorf("take a dead letter from %s: %w", from, err)
			}
			if !ok {
				break
			}
			confirm, err := ch.PublishWithDeferredConfirm(to, "", false, false, amqp.Publishing{
				Headers: m.Headers, ContentType: m.ContentType, ContentEncoding: m.ContentEncoding, DeliveryMode: amqp.Persistent,
				MessageId: m.MessageId, Timestamp: m.Timestamp, Body: m.Body})
			if err != nil {
				return fmt.Errorf("move a dead letter: %w", err)
			}
			if !confirm.Wait() {
				return errors.New("move a dead letter: not confirmed")
			}
			if err := m.Ack(false); err != nil {
				return err
			}
		}
		// Without its queue the exchange goes, too: it is auto-delete.
		if err := ch.QueueUnbind(from, "", from, nil); err != nil {
			return err
		}
		_, err := ch.QueueDelete(from, false, false, false)
		return err
	})
}
