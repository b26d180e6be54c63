package rabbit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"
)

// topology declares our queues on a broker, and binds ours to the exchanges that
// exist, and to others when they appear. It has its own channel, because RabbitMQ
// closes a channel on which something missing is asked for. One goroutine uses it;
// status may be called from any.
type topology struct {
	cfg     Config
	queue   string // what exchanges are bound to
	link    link
	channel *amqp.Channel
	log     *slog.Logger
	gauge   prometheus.Gauge // exchanges that are not bound

	mu        sync.Mutex // guards bound of the exchanges
	exchanges []*exchange
}

// exchange is one of a service's. One that is bound is looked up again now and
// then, because deleting an exchange deletes its bindings without notice.
type exchange struct {
	name   string
	bound  bool
	next   time.Time // when it is looked up again
	pause  time.Duration
	reason string // last logged
}

func newTopology(b *broker, l link) *topology {
	t := &topology{cfg: b.cfg, queue: b.cfg.QueueName(), link: l, log: b.log, gauge: b.metrics.missing.WithLabelValues(b.name)}
	for _, name := range b.cfg.Exchanges {
		t.exchanges = append(t.exchanges, &exchange{name: name})
	}
	return t
}

// on calls do with an open channel, a new one after an error.
func (t *topology) on(do func(*amqp.Channel) error) error {
	if t.channel == nil || t.channel.IsClosed() {
		channel, err := t.link.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		t.channel = channel
	}
	return do(t.channel)
}

// setUp declares the queues, and binds the exchanges that exist.
func (t *topology) setUp() error {
	if err := t.on(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(t.queue, true, false, false, false, t.cfg.queueArguments())
		return err
	}); err != nil {
		return t.cfg.explain("declare queue "+t.queue, err)
	}
	if t.cfg.DeadLetter.Enabled {
		// Not needed before the first rejection, but a missing permission should
		// show now.
		if err := t.on(func(ch *amqp.Channel) error { return declareDeadLetters(ch, t.cfg) }); err != nil {
			return err
		}
	}
	return t.lookUp()
}

// watch binds exchanges as they appear, until ctx ends or the connection fails.
func (t *topology) watch(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(t.nextLookUp()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := t.link.within(ctx, t.cfg.SetupTimeout, t.lookUp); err != nil {
			return err
		}
	}
}

func (t *topology) nextLookUp() time.Time {
	next := t.exchanges[0].next
	for _, e := range t.exchanges[1:] {
		if e.next.Before(next) {
			next = e.next
		}
	}
	return next
}

// lookUp looks up the exchanges whose time has come. Its errors are the
// connection's; what concerns one exchange is logged and tried again later.
func (t *topology) lookUp() error {
	now := time.Now()
	for _, e := range t.exchanges {
		if e.next.After(now) {
			continue
		}
		err := t.on(func(ch *amqp.Channel) error { return t.bind(ch, e.name) })
		if err != nil && !hasCode(err, amqp.NotFound) && !hasCode(err, amqp.AccessRefused) && !hasCode(err, amqp.PreconditionFailed) {
			return fmt.Errorf("bind exchange %s: %w", e.name, err)
		}
		t.note(e, err)
	}
	missing := 0
	for _, e := range t.exchanges {
		if !e.bound {
			missing++
		}
	}
	t.gauge.Set(float64(missing))
	return nil
}

// bind asks whether the exchange exists before it binds: a 404 for the binding
// alone could mean our queue.
func (t *topology) bind(ch *amqp.Channel, name string) error {
	err := ch.ExchangeDeclarePassive(name, amqp.ExchangeTopic, false, false, false, false, nil)
	if t.cfg.Declare && hasCode(err, amqp.NotFound) {
		err = t.on(func(reopened *amqp.Channel) error {
			ch = reopened
			return ch.ExchangeDeclare(name, amqp.ExchangeTopic, t.cfg.DeclareDurable, false, false, false, nil)
		})
	}
	if err != nil {
		return err
	}
	for _, topic := range t.cfg.Topics {
		if err := ch.QueueBind(t.queue, topic+".*", name, false, nil); err != nil {
			return err
		}
	}
	return nil
}

// note records how looking up an exchange went, and logs what is new about it.
func (t *topology) note(e *exchange, err error) {
	t.mu.Lock()
	e.bound = err == nil
	t.mu.Unlock()
	reason := "bound"
	switch {
	case err == nil:
		e.pause = t.cfg.ExchangeRetryMax
	case e.pause == 0 || e.reason == "bound":
		e.pause = t.cfg.ExchangeRetry
	default:
		e.pause = min(2*e.pause, t.cfg.ExchangeRetryMax)
	}
	e.next = time.Now().Add(e.pause)
	if err != nil {
		reason = t.cfg.explain("bind exchange "+e.name, err).Error()
	}
	if reason == e.reason {
		return
	}
	e.reason = reason
	switch {
	case err == nil:
		t.log.Info("exchange bound", "exchange", e.name)
	case hasCode(err, amqp.NotFound):
		t.log.Info("exchange does not exist yet; it is bound when it does", "exchange", e.name)
	default:
		t.log.Warn("exchange cannot be bound; trying again later", "exchange", e.name, "error", reason)
	}
}

// status divides the exchanges by whether they are bound.
func (t *topology) status() (bound, missing []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	bound, missing = []string{}, []string{}
	for _, e := range t.exchanges {
		if e.bound {
			bound = append(bound, e.name)
		} else {
			missing = append(missing, e.name)
		}
	}
	return bound, missing
}

// explain adds the way out to what the broker refused.
func (c Config) explain(step string, err error) error {
	switch {
	case hasCode(err, amqp.AccessRefused):
		p := c.Permissions()
		return fmt.Errorf("%s: %w; the user needs: rabbitmqctl set_permissions USER '%s' '%s' '%s'", step, err, p.Configure, p.Write, p.Read)
	case hasCode(err, amqp.PreconditionFailed):
		return fmt.Errorf("%s: %w; something else made it with other properties: delete it, or change [amqp] group", step, err)
	default:
		return fmt.Errorf("%s: %w", step, err)
	}
}
