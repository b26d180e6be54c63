package rabbit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"
)

// connection is one AMQP connection to one host that consumes, from its set-up to
// its loss. Nothing of it outlives it: Deliveries that the pipeline still holds
// settle places in an unacked that nobody reads any more.
type connection struct {
	broker   *broker
	cfg      Config
	link     link
	host     host
	queue    string
	topology *topology // nil: of a queue that is worked off
	unacked  *unacked
	// beside run as long as the connection does.
	beside []func(context.Context)

	consume    *amqp.Channel
	tag        string
	deliveries <-chan amqp.Delivery
	// What ends it: an error here, or the broker.
	failed                    chan error
	linkClosed, channelClosed chan *amqp.Error
	cancelled                 chan string

	// pending counts what was settled since the last acknowledgement; wake
	// wakes acknowledge.
	pending atomic.Int32
	batch   int32
	wake    chan struct{}
	// acknowledged gets a value, if it has room, after each acknowledgement.
	acknowledged chan struct{}
	rejections   chan rejection
	// ignoring is set once no further delivery is to be handled.
	ignoring atomic.Bool
}

// connect connects, declares the queues, binds the exchanges that exist, and
// starts to consume.
func connect(ctx context.Context, b *broker, t target, h host) (*connection, error) {
	l, err := dial(ctx, t, h)
	if err != nil {
		return nil, err
	}
	c := newConnection(b, l, h, b.cfg.QueueName())
	c.topology = newTopology(b, l)
	c.beside = []func(context.Context){
		func(ctx context.Context) { c.fail(c.topology.watch(ctx)) },
		func(ctx context.Context) { b.takeOverLater(ctx, h) },
	}
	if err := l.within(ctx, b.cfg.SetupTimeout, c.topology.setUp); err != nil {
		l.close()
		return nil, err
	}
	b.takeOver(ctx, h)
	if err := l.within(ctx, b.cfg.SetupTimeout, c.startConsuming); err != nil {
		l.close()
		return nil, err
	}
	return c, nil
}

func newConnection(b *broker, l link, h host, queue string) *connection {
	c := &connection{
		broker: b, cfg: b.cfg, link: l, host: h, queue: queue,
		unacked:       newUnacked(b.cfg.Prefetch),
		failed:        make(chan error, 1),
		linkClosed:    l.NotifyClose(make(chan *amqp.Error, 1)),
		channelClosed: make(chan *amqp.Error, 1),
		cancelled:     make(chan string, 1),
		batch:         int32(max(1, b.cfg.Prefetch/4)),
		wake:          make(chan struct{}, 1),
		acknowledged:  make(chan struct{}, 1),
	}
	c.rejections = make(chan rejection, len(c.unacked.slots))
	return c
}

func (c *connection) startConsuming() (err error) {
	if c.consume, err = c.link.Channel(); err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	c.consume.NotifyClose(c.channelClosed)
	c.consume.NotifyCancel(c.cancelled)
	if err := c.consume.Qos(c.cfg.Prefetch, 0, false); err != nil {
		return fmt.Errorf("set the prefetch: %w", err)
	}
	c.tag = connectionName(c.cfg.Group)
	if c.deliveries, err = c.consume.Consume(c.queue, c.tag, false, false, false, false, nil); err != nil {
		return c.cfg.explain("consume queue "+c.queue, err)
	}
	return nil
}

// run works until the connection is closed and everything it started has
// stopped. It returns errDrained, the end of ctx, or why the broker ended it.
func (c *connection) run(ctx context.Context) error {
	// Not ctx itself: the last acknowledgement is sent after ctx has ended.
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	acking, stopAcking := context.WithCancel(working)
	defer stopWorking()
	var acker, receiver, others sync.WaitGroup
	received := make(chan struct{})
	receiver.Go(func() {
		defer close(received)
		c.receive()
	})
	acker.Go(func() { c.acknowledge(acking) })
	for _, do := range c.beside {
		others.Go(func() { do(working) })
	}
	others.Go(func() { c.deadLetters(working) })

	err := c.wait(ctx, c.broker.draining)
	if errors.Is(err, errDrained) {
		err = c.finish(ctx, received)
	}
	c.ignoring.Store(true)
	stopAcking()
	_ = c.link.within(working, closeTimeout, func() error { acker.Wait(); return nil })
	stopWorking()
	others.Wait()
	c.link.close()
	receiver.Wait()
	return err
}

// fail ends the connection, if it is not ending already.
func (c *connection) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// wait returns why the connection ended, or errDrained if done is closed or has a
// value first.
func (c *connection) wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-c.failed:
		return err
	case err := <-c.linkClosed:
		return closed(err)
	case err := <-c.channelClosed:
		return closed(err)
	case _, ok := <-c.cancelled:
		if !ok { // the client library closes it with the channel
			return closed(<-c.channelClosed)
		}
		return fmt.Errorf("consumer cancelled by the broker: queue %s was deleted or moved", c.queue)
	case <-done:
		return errDrained
	}
}

func closed(err *amqp.Error) error {
	if err == nil {
		err = amqp.ErrClosed
	}
	return fmt.Errorf("connection lost: %w", err)
}

// finish cancels the consumer, and waits until what was delivered before that
// is settled and acknowledged.
func (c *connection) finish(ctx context.Context, received <-chan struct{}) error {
	if err := c.link.within(ctx, c.cfg.SetupTimeout, func() error { return c.consume.Cancel(c.tag, false) }); err != nil {
		return fmt.Errorf("cancel the consumer: %w", err)
	}
	if err := c.wait(ctx, received); !errors.Is(err, errDrained) {
		return err
	}
	for c.unacked.count() > 0 {
		if err := c.wait(ctx, c.acknowledged); !errors.Is(err, errDrained) {
			return err
		}
	}
	return errDrained
}

// receive hands the deliveries on until the channel of them is closed.
func (c *connection) receive() {
	for m := range c.deliveries {
		if c.ignoring.Load() {
			continue
		}
		if !c.unacked.claim(m.DeliveryTag) {
			c.ignoring.Store(true)
			c.fail(fmt.Errorf("the broker sent delivery %d with %d unacknowledged, over the prefetch of %d or out of turn",
				m.DeliveryTag, c.unacked.count(), c.cfg.Prefetch))
			continue
		}
		c.broker.counters.inc(m.Exchange)
		if m.Redelivered {
			c.broker.metrics.redelivered.Inc()
		}
		c.broker.handler(newDelivery(c, &m))
	}
}

// settled counts one more settled delivery.
func (c *connection) settled() {
	if n := c.pending.Add(1); n == 1 || n == c.batch {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// acknowledge sends an acknowledgement once a batch of deliveries is settled, or
// AckInterval after the first of fewer, and a last one when ctx ends.
func (c *connection) acknowledge(ctx context.Context) {
	acked := c.broker.metrics.acked.WithLabelValues(c.broker.name)
	interval := time.NewTimer(time.Hour)
	defer interval.Stop()
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			c.sendAck(acked)
			return
		}
		if c.pending.Load() < c.batch {
			interval.Reset(c.cfg.AckInterval)
			select {
			case <-interval.C:
			case <-c.wake:
			case <-ctx.Done():
			}
		}
		c.sendAck(acked)
	}
}

// sendAck acknowledges the settled deliveries that no unsettled one precedes.
func (c *connection) sendAck(acked prometheus.Counter) {
	c.pending.Store(0) // first: what is settled from here on wakes us again
	before := c.unacked.acked.Load()
	tag := c.unacked.settledUpTo()
	if tag == before {
		return
	}
	c.unacked.advance(tag)
	if err := c.consume.Ack(tag, true); err != nil {
		return // the connection is lost; RabbitMQ delivers them again
	}
	acked.Add(float64(tag - before))
	select {
	case c.acknowledged <- struct{}{}:
	default:
	}
}
