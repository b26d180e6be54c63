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

// session is one connection to one host, from set-up to loss. Nothing of it
// outlives it: the Deliveries still held by the pipeline settle places in a
// window that nobody reads any more.
type session struct {
	broker   *broker
	cfg      Config
	link     link
	host     host
	topology *topology
	window   *window

	consume    *amqp.Channel
	tag        string
	deliveries <-chan amqp.Delivery
	// What ends it: something here, or the broker.
	failed                    chan error
	linkClosed, channelClosed chan *amqp.Error
	cancelled                 chan string

	// pending counts what was settled since the last acknowledgement; wake
	// tells acknowledge about it.
	pending atomic.Int32
	batch   int32
	wake    chan struct{}
	// acknowledged gets a value, if it has room, after each acknowledgement.
	acknowledged chan struct{}
	rejections   chan rejection
	// deaf is set once no further delivery is to be handled.
	deaf atomic.Bool
}

// openSession connects and sets everything up: queues declared, existing
// exchanges bound, consuming.
func openSession(ctx context.Context, b *broker, h host) (*session, error) {
	l, err := dial(ctx, b.address, h, b.cfg, b.tlsConfig)
	if err != nil {
		return nil, err
	}
	s := &session{
		broker: b, cfg: b.cfg, link: l, host: h,
		topology:      newTopology(b, l),
		window:        newWindow(b.cfg.Prefetch),
		failed:        make(chan error, 1),
		linkClosed:    l.NotifyClose(make(chan *amqp.Error, 1)),
		channelClosed: make(chan *amqp.Error, 1),
		cancelled:     make(chan string, 1),
		batch:         int32(max(1, b.cfg.Prefetch/4)),
		wake:          make(chan struct{}, 1),
		acknowledged:  make(chan struct{}, 1),
	}
	s.rejections = make(chan rejection, len(s.window.slots))
	if err := l.within(ctx, b.cfg.SetupTimeout, s.setUp); err != nil {
		l.close()
		return nil, err
	}
	return s, nil
}

func (s *session) setUp() error {
	if err := s.topology.setUp(); err != nil {
		return err
	}
	var err error
	if s.consume, err = s.link.Channel(); err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	s.consume.NotifyClose(s.channelClosed)
	s.consume.NotifyCancel(s.cancelled)
	if err := s.consume.Qos(s.cfg.Prefetch, 0, false); err != nil {
		return fmt.Errorf("set the prefetch: %w", err)
	}
	s.tag = connectionName(s.cfg.Group)
	queue := s.cfg.QueueName()
	if s.deliveries, err = s.consume.Consume(queue, s.tag, false, false, false, false, nil); err != nil {
		return s.cfg.explain("consume queue "+queue, err)
	}
	return nil
}

// run works until the session is over and everything it started has stopped.
// It returns errDrained, the end of ctx, or why the broker ended it.
func (s *session) run(ctx context.Context) error {
	// Not ctx itself: the last acknowledgement comes after its end, over a
	// connection that nobody may have closed.
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	acking, stopAcking := context.WithCancel(working)
	defer stopWorking()
	var acker, receiver, others sync.WaitGroup
	received := make(chan struct{})
	receiver.Go(func() {
		defer close(received)
		s.receive()
	})
	acker.Go(func() { s.acknowledge(acking) })
	others.Go(func() { s.fail(s.topology.watch(working)) })
	others.Go(func() { s.deadLetters(working) })

	err := s.wait(ctx, s.broker.draining)
	if errors.Is(err, errDrained) {
		err = s.finish(ctx, received)
	}
	s.deaf.Store(true)
	stopAcking()
	_ = s.link.within(working, closeTimeout, func() error { acker.Wait(); return nil })
	stopWorking()
	others.Wait()
	s.link.close()
	receiver.Wait()
	return err
}

// fail ends the session, if it is not ending already.
func (s *session) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// wait returns the reason for the session's end, or errDrained when done is
// closed or has a value first.
func (s *session) wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.failed:
		return err
	case err := <-s.linkClosed:
		return closed(err)
	case err := <-s.channelClosed:
		return closed(err)
	case _, ok := <-s.cancelled:
		if !ok { // the client library closes it with the channel
			return closed(<-s.channelClosed)
		}
		return fmt.Errorf("consumer cancelled by the broker: queue %s was deleted or moved", s.cfg.QueueName())
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
func (s *session) finish(ctx context.Context, received <-chan struct{}) error {
	if err := s.link.within(ctx, s.cfg.SetupTimeout, func() error { return s.consume.Cancel(s.tag, false) }); err != nil {
		return fmt.Errorf("cancel the consumer: %w", err)
	}
	if err := s.wait(ctx, received); !errors.Is(err, errDrained) {
		return err
	}
	for s.window.unacked() > 0 {
		if err := s.wait(ctx, s.acknowledged); !errors.Is(err, errDrained) {
			return err
		}
	}
	return errDrained
}

// receive hands the deliveries on until the channel of them is closed.
func (s *session) receive() {
	for m := range s.deliveries {
		if s.deaf.Load() {
			continue
		}
		if !s.window.claim(m.DeliveryTag) {
			s.deaf.Store(true)
			s.fail(fmt.Errorf("the broker sent delivery %d with %d unacknowledged, over the prefetch of %d or out of turn",
				m.DeliveryTag, s.window.unacked(), s.cfg.Prefetch))
			continue
		}
		s.broker.counters.inc(m.Exchange)
		if m.Redelivered {
			s.broker.metrics.redelivered.Inc()
		}
		s.broker.handler(newDelivery(s, &m))
	}
}

// settled is told that one more delivery is done with.
func (s *session) settled() {
	if n := s.pending.Add(1); n == 1 || n == s.batch {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// acknowledge sends an acknowledgement when batch deliveries were settled, or
// some were and the interval is over, and a last one at the end of ctx.
func (s *session) acknowledge(ctx context.Context) {
	acked := s.broker.metrics.acked.WithLabelValues(s.broker.name)
	interval := time.NewTimer(time.Hour)
	defer interval.Stop()
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			s.sendAck(acked)
			return
		}
		if s.pending.Load() < s.batch {
			interval.Reset(s.cfg.AckInterval)
			select {
			case <-interval.C:
			case <-s.wake:
			case <-ctx.Done():
			}
		}
		s.sendAck(acked)
	}
}

// sendAck acknowledges the settled prefix of the window, if it has grown.
func (s *session) sendAck(acked prometheus.Counter) {
	s.pending.Store(0) // before looking: who settles later wakes us again
	before := s.window.acked.Load()
	tag := s.window.settledUpTo()
	if tag == before {
		return
	}
	s.window.advance(tag)
	if err := s.consume.Ack(tag, true); err != nil {
		return // the connection is lost, and RabbitMQ delivers them again
	}
	acked.Add(float64(tag - before))
	select {
	case s.acknowledged <- struct{}{}:
	default:
	}
}
