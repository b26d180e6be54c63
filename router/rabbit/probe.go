package rabbit

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Report is what Probe found out about one broker.
type Report struct {
	// Broker is its hosts and vhost, without credentials.
	Broker string
	// Host is the one that answered; empty if none did.
	Host string
	// Problems are what keeps notifications from coming, each with the way out:
	// hosts that do not answer, credentials, permissions.
	Problems []error
	// Bound and Missing divide the configured exchanges, without those that a
	// problem is about.
	Bound, Missing []string
	// Heard counts the notifications that came while Probe listened, by exchange
	// and topic, as in "nova notifications".
	Heard map[string]int
}

// Probe does on each broker what a consumer would, on its own queue, which ends with
// the connection, and listens for that long. It makes nothing that stays, and takes
// no message that anybody else waits for. heard, which may be called concurrently, gets
// each notification's body, which it must not keep, and its Delivery.Compression.
//
// # Errors
//
// Those of New. What is wrong with a broker is in its report.
func Probe(ctx context.Context, cfg Config, listen time.Duration, heard func(body []byte, compression string)) ([]Report, error) {
	cfg.Declare = false
	targets, err := cfg.targets()
	if err != nil {
		return nil, err
	}
	reports := make([]Report, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() {
			reports[i] = Report{Broker: t.String(), Heard: map[string]int{}}
			reports[i].probe(ctx, t, listen, heard)
		})
	}
	all.Wait()
	return reports, nil
}

func (r *Report) probe(ctx context.Context, broker target, listen time.Duration, heard func([]byte, string)) {
	cfg := broker.cfg
	for _, h := range broker.hosts {
		l, err := dial(ctx, broker, h)
		if err != nil {
			r.Problems = append(r.Problems, err)
			continue
		}
		defer l.close()
		r.Host = h.addr
		t := &topology{cfg: cfg, link: l, queue: cfg.prefix() + "probe." + strings.ToLower(rand.Text())}
		if err := l.within(ctx, cfg.SetupTimeout, func() error { return r.bind(t) }); err != nil {
			r.Problems = append(r.Problems, err)
			return
		}
		if err := l.within(ctx, listen+cfg.SetupTimeout, func() error { return r.listen(ctx, t, listen, heard) }); err != nil {
			r.Problems = append(r.Problems, err)
		}
		for _, check := range []func() error{
			func() error { return r.unbind(t) },
			func() error { return t.on(t.checkOverflow) },
		} {
			if err := l.within(ctx, cfg.SetupTimeout, check); err != nil {
				r.Problems = append(r.Problems, err)
			}
		}
		return
	}
}

// bind makes the queue and binds it to each exchange. Its errors are those that
// leave nothing to listen to.
func (r *Report) bind(t *topology) error {
	if err := t.on(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(t.queue, false, true, true, false, amqp.Table{"x-queue-type": "classic", "x-max-length": int64(1000)})
		return err
	}); err != nil {
		return t.cfg.explain("declare a queue", err)
	}
	for _, name := range t.cfg.Exchanges {
		err := t.on(func(ch *amqp.Channel) error { return t.bind(ch, name) })
		switch {
		case err == nil:
			r.Bound = append(r.Bound, name)
		case hasCode(err, amqp.NotFound):
			r.Missing = append(r.Missing, name)
		case hasCode(err, amqp.AccessRefused), hasCode(err, amqp.PreconditionFailed):
			r.Problems = append(r.Problems, t.cfg.explain("bind exchange "+name, err))
		default:
			return fmt.Errorf("bind exchange %s: %w", name, err)
		}
	}
	return nil
}

// unbind leaves no publish on its way to the queue when that ends: RabbitMQ 4.3 would
// refuse it.
func (r *Report) unbind(t *topology) error {
	err := t.on(func(ch *amqp.Channel) error {
		for _, exchange := range r.Bound {
			if err := unbind(ch, t.queue, exchange, t.cfg.Topics); err != nil {
				return err
			}
		}
		return nil
	})
	time.Sleep(unbindPause)
	return err
}

// checkOverflow fills a queue like the group's, to see whether RabbitMQ drops the
// oldest message then, or refuses the new one: a policy can make it do so for quorum
// queues, whatever their arguments say.
func (t *topology) checkOverflow(ch *amqp.Channel) error {
	args := t.cfg.queueArguments()
	args["x-max-length"], args["x-expires"] = int64(1), time.Minute.Milliseconds()
	name := t.queue + ".overflow"
	err := ch.ExchangeDeclare(name, amqp.ExchangeFanout, true, true, false, false, nil)
	if err == nil {
		_, err = ch.QueueDeclare(name, true, false, false, false, args)
	}
	if err == nil {
		err = ch.QueueBind(name, "", name, false, nil)
	}
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		return t.cfg.explain("try a full queue", err)
	}
	refused := false
	for range 5 { // it takes RabbitMQ a few to notice
		confirm, err := ch.PublishWithDeferredConfirm(name, "", false, false, amqp.Publishing{Body: []byte("x")})
		if err != nil {
			return fmt.Errorf("try a full queue: %w", err)
		}
		refused = refused || !confirm.Wait()
	}
	if err := ch.QueueUnbind(name, "", name, nil); err != nil {
		return fmt.Errorf("try a full queue: %w", err)
	}
	if _, err := ch.QueueDelete(name, false, false, false); err != nil {
		return fmt.Errorf("try a full queue: %w", err)
	}
	if refused {
		return fmt.Errorf("a policy has queues like ours refuse what is published when they are full (overflow: reject-publish), "+
			"so services would fail; find it with rabbitmqctl list_policies, and exclude ^%s from it", regexp.QuoteMeta(t.cfg.prefix()))
	}
	return nil
}

// listen counts what arrives.
func (r *Report) listen(ctx context.Context, t *topology, limit time.Duration, heard func([]byte, string)) error {
	return t.on(func(ch *amqp.Channel) error {
		deliveries, err := ch.Consume(t.queue, "", true, true, false, false, nil)
		if err != nil {
			return t.cfg.explain("consume from a queue", err)
		}
		over := time.After(limit)
		for {
			select {
			case d, open := <-deliveries:
				if !open {
					return fmt.Errorf("listen: the broker ended it")
				}
				topic, _, _ := strings.Cut(d.RoutingKey, ".")
				r.Heard[d.Exchange+" "+topic]++
				compression, _ := d.Headers["compression"].(string)
				heard(d.Body, compression)
			case <-over:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}
