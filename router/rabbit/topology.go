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
	*exchanges
	cfg     Config
	queue   string // what exchanges are bound to
	link    link
	channel *amqp.Channel
	log     *slog.Logger
	gauge   prometheus.Gauge // exchanges that are not bound
}

const (
	// lookAgain is how often a bound exchange is looked up again, because deleting an
	// exchange deletes its bindings without notice.
	lookAgain = 30 * time.Second
	// soon is how often an exchange that was there is asked for in the first minute
	// without it: its service makes it again when it next sends something.
	soon, soonFor = time.Second, time.Minute
	// knownFor is how long it is asked for as often as a bound one after that.
	knownFor = 24 * time.Hour
)

// exchanges are the services' on one broker. They outlive connections: what was
// never there is asked for ever more rarely, as RabbitMQ logs an error each time.
type exchanges struct {
	mu  sync.Mutex // guards bound of each
	all []*exchange
}

type exchange struct {
	name   string
	bound  bool
	next   time.Time     // when it is looked up again
	pause  time.Duration // while it is missing, the last one
	lost   time.Time     // since when one that was bound is missing; zero: it never was
	reason string        // last logged
}

func newExchanges(names []string) *exchanges {
	x := new(exchanges)
	for _, name := range names {
		x.all = append(x.all, &exchange{name: name})
	}
	return x
}

// newTopology is for a new connection: nothing is bound, and everything is looked
// up at once.
func newTopology(b *broker, l link) *topology {
	t := &topology{cfg: b.cfg, queue: b.cfg.QueueName(), link: l, log: b.log,
		gauge: b.metrics.missing.WithLabelValues(b.name), exchanges: b.exchanges}
	for _, e := range t.all {
		t.missing(e, time.Now())
		e.next, e.reason = time.Time{}, ""
	}
	return t
}

// missing notes that an exchange is not bound.
func (x *exchanges) missing(e *exchange, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e.bound {
		e.bound, e.lost, e.pause = false, now, 0
	}
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
	next := t.all[0].next
	for _, e := range t.all[1:] {
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
	for _, e := range t.all {
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
	for _, e := range t.all {
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
	now, reason := time.Now(), "bound"
	if err == nil {
		t.mu.Lock()
		e.bound = true
		t.mu.Unlock()
	} else {
		t.missing(e, now)
	}
	e.next = now.Add(e.wait(now, t.cfg))
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

// wait is how long it takes until an exchange is looked up again.
func (e *exchange) wait(now time.Time, cfg Config) time.Duration {
	known := !e.bound && !e.lost.IsZero() && now.Sub(e.lost) < knownFor
	switch {
	case known && now.Sub(e.lost) < soonFor:
		return min(soon, cfg.ExchangeRetry)
	case known, e.bound:
		return min(lookAgain, cfg.ExchangeRetryMax)
	case e.pause == 0:
		e.pause = cfg.ExchangeRetry
	default:
		e.pause = min(2*e.pause, cfg.ExchangeRetryMax)
	}
	return e.pause
}

// status divides the exchanges by whether they are bound.
func (x *exchanges) status() (bound, missing []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	bound, missing = []string{}, []string{}
	for _, e := range x.all {
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
