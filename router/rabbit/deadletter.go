package rabbit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Headers of a dead letter, beside those of the message.
const (
	HeaderReason     = "x-horizon-realtime-reason"
	HeaderExchange   = "x-horizon-realtime-exchange"
	HeaderRoutingKey = "x-horizon-realtime-routing-key"
)

const (
	// maxReason bounds the header with the reason, in bytes.
	maxReason = 1024
	// rejectionBatch is how many dead letters wait for RabbitMQ together.
	rejectionBatch = 64
	// redeclareAfter keeps the queue from expiring while it is written to.
	redeclareAfter = time.Minute
	retryPause     = 500 * time.Millisecond
)

// rejection is a delivery on its way to the dead letters.
type rejection struct {
	delivery *Delivery
	reason   string
	at       time.Time
}

// reject queues a rejection. There is a place for each delivery that may be
// unacknowledged, so it never blocks.
func (c *connection) reject(r rejection) { c.rejections <- r }

// deadLetters puts rejected deliveries into the dead-letter queue until ctx
// ends. RabbitMQ delivers again what is not there by then.
//
// It publishes over its own connection, made for the first rejection: while RabbitMQ
// is short of memory or disk it stops reading from connections that publish, and
// would not see the acknowledgements, which relieve it.
func (c *connection) deadLetters(ctx context.Context) {
	p := &deadLetterPublisher{conn: c}
	defer p.close()
	batch := make([]rejection, 0, rejectionBatch)
	for {
		select {
		case r := <-c.rejections:
			batch = append(batch[:0], r)
		case <-ctx.Done():
			return
		}
		for more := true; more && len(batch) < rejectionBatch; {
			select {
			case r := <-c.rejections:
				batch = append(batch, r)
			default:
				more = false
			}
		}
		c.putAside(ctx, p, batch)
	}
}

// putAside publishes the batch and settles it, in as many attempts as the timeout
// allows. After that, or with dead letters off, it drops the batch: one bad message
// must not hold up the good ones behind it.
func (c *connection) putAside(ctx context.Context, p *deadLetterPublisher, batch []rejection) {
	var err error
	for c.cfg.DeadLetter.Enabled && len(batch) > 0 {
		if time.Since(batch[0].at) > c.cfg.DeadLetter.Timeout {
			break
		}
		if batch, err = p.publish(ctx, batch); err == nil {
			continue
		}
		p.close()
		c.broker.log.Warn("dead letters not taken; trying again", "count", len(batch), "error", err)
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return
		}
	}
	for _, r := range batch {
		c.broker.metrics.dropped.WithLabelValues(c.broker.metrics.reason(r.reason)).Inc()
		c.broker.log.Warn("rejected message dropped", "reason", r.reason, "exchange", r.delivery.Exchange,
			"routing_key", r.delivery.RoutingKey, "error", err)
		c.settleRejected(r)
	}
}

func (c *connection) settleRejected(r rejection) {
	if c.unacked.settleRejected(r.delivery.tag) {
		c.settled()
	}
}

// deadLetterPublisher is the connection that dead letters are published on.
type deadLetterPublisher struct {
	conn     *connection
	link     link
	channel  *amqp.Channel // nil while not connected
	returned chan amqp.Return
	declared time.Time
	watching sync.WaitGroup // for the broker's alarms
}

// publish publishes the batch and settles what RabbitMQ has confirmed. It
// returns the rest, with an error unless there is none.
func (p *deadLetterPublisher) publish(ctx context.Context, batch []rejection) ([]rejection, error) {
	if err := p.connect(ctx); err != nil {
		return batch, err
	}
	var rest []rejection
	err := p.link.within(ctx, p.conn.cfg.DeadLetter.Timeout, func() (err error) {
		rest, err = p.publishConnected(batch)
		return err
	})
	return rest, err
}

func (p *deadLetterPublisher) publishConnected(batch []rejection) ([]rejection, error) {
	cfg := p.conn.cfg
	if time.Since(p.declared) > redeclareAfter {
		if err := declareDeadLetters(p.channel, cfg); err != nil {
			return batch, err
		}
		p.declared = time.Now()
	}
	confirms := make([]*amqp.DeferredConfirmation, len(batch))
	for i, r := range batch {
		var err error
		confirms[i], err = p.channel.PublishWithDeferredConfirm(cfg.DeadLetterName(), "", true, false, deadLetter(r))
		if err != nil {
			return batch, fmt.Errorf("publish a dead letter: %w", err)
		}
	}
	taken := true
	for _, c := range confirms {
		taken = c.Wait() && taken
	}
	select {
	case <-p.returned: // sent before the confirmation of the same message
		p.declared = time.Time{}
		return batch, errors.New("publish a dead letter: no queue was there to take it")
	default:
	}
	if !taken {
		return batch, errors.New("publish a dead letter: not confirmed")
	}
	m := p.conn.broker.metrics
	for _, r := range batch {
		m.deadLettered.WithLabelValues(m.reason(r.reason)).Inc()
		p.conn.settleRejected(r)
	}
	return nil, nil
}

func (p *deadLetterPublisher) connect(ctx context.Context) error {
	if p.channel != nil && !p.channel.IsClosed() {
		return nil
	}
	p.close()
	b := p.conn.broker
	t := b.refresh()
	l, err := dial(ctx, t, t.host(p.conn.host))
	if err != nil {
		return err
	}
	p.link = l
	alarms, gauge := l.NotifyBlocked(make(chan amqp.Blocking, 1)), b.metrics.blocked.WithLabelValues(b.name)
	p.watching.Go(func() {
		for alarm := range alarms { // until the connection closes
			gauge.Set(0)
			if alarm.Active {
				gauge.Set(1)
				b.log.Warn("the broker takes no dead letters for now", "reason", alarm.Reason)
			}
		}
		gauge.Set(0)
	})
	return l.within(ctx, b.cfg.SetupTimeout, func() error {
		channel, err := l.Channel()
		if err != nil {
			return fmt.Errorf("open a channel: %w", err)
		}
		if err := channel.Confirm(false); err != nil {
			return fmt.Errorf("ask for confirmations: %w", err)
		}
		p.returned = channel.NotifyReturn(make(chan amqp.Return, rejectionBatch))
		p.channel, p.declared = channel, time.Time{}
		return nil
	})
}

func (p *deadLetterPublisher) close() {
	if p.link.Connection != nil {
		p.link.close()
		p.watching.Wait()
	}
	p.link, p.channel = link{}, nil
}

// declareDeadLetters declares the exchange and the queue behind it. The
// exchange is there because publishing to a queue directly takes the permission
// to write to anybody's queue.
func declareDeadLetters(ch *amqp.Channel, cfg Config) error {
	name := cfg.DeadLetterName()
	// The exchange goes when the queue expires: it is auto-delete.
	if err := ch.ExchangeDeclare(name, amqp.ExchangeFanout, true, true, false, false, nil); err != nil {
		return cfg.explain("declare exchange "+name, err)
	}
	if _, err := ch.QueueDeclare(name, true, false, false, false, cfg.deadLetterArguments()); err != nil {
		return cfg.explain("declare queue "+name, err)
	}
	if err := ch.QueueBind(name, "", name, false, nil); err != nil {
		return cfg.explain("bind queue "+name, err)
	}
	return nil
}

func deadLetter(r rejection) amqp.Publishing {
	d := r.delivery
	headers := amqp.Table{}
	if d.headers.Validate() == nil {
		maps.Copy(headers, d.headers)
	}
	delete(headers, "x-delivery-count") // of a quorum queue: how often that was tried
	delete(headers, "x-acquired-count")
	headers[HeaderReason] = cutReason(r.reason)
	headers[HeaderExchange] = d.Exchange
	headers[HeaderRoutingKey] = d.RoutingKey
	return amqp.Publishing{
		Headers:         headers,
		ContentType:     d.contentType,
		ContentEncoding: d.encoding,
		DeliveryMode:    amqp.Persistent,
		MessageId:       d.messageID,
		Timestamp:       d.timestamp,
		Body:            d.Body,
	}
}

func cutReason(reason string) string {
	reason = strings.ToValidUTF8(reason, "?")
	if len(reason) <= maxReason {
		return reason
	}
	cut := maxReason
	for !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}
