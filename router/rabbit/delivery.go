package rabbit

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Handler takes one delivery. It is called from one goroutine per broker, in the
// order of the broker's queue, and may keep the Delivery. While it blocks, that
// broker sends at most Config.Prefetch more.
type Handler func(*Delivery)

// Delivery is one message of the queue. The handler owes it one Ack or Reject, from
// any goroutine and in any order. A second call does nothing. Nor does one after its
// connection was lost: then RabbitMQ delivers the message again.
type Delivery struct {
	// Body is the message as it was published. It belongs to the handler.
	Body []byte
	// Compression is the header compression of oslo's kombu_compression, such as
	// application/x-gzip, or empty.
	Compression string
	// Exchange and RoutingKey are what it was published with.
	Exchange, RoutingKey string
	// Broker names the connection it came over, without credentials.
	Broker string
	// Redelivered says that it may have been handled before.
	Redelivered bool

	conn        *connection
	tag         uint64
	headers     amqp.Table
	contentType string
	encoding    string
	messageID   string
	timestamp   time.Time
}

// Ack says that the message is done with. RabbitMQ forgets it once everything
// delivered before it is settled too.
func (d *Delivery) Ack() {
	if d.conn.unacked.settle(d.tag) {
		d.conn.settled()
	}
}

// Reject puts the message aside: it goes to the group's dead-letter queue with
// the reason in the header x-horizon-realtime-reason, and is acknowledged once
// RabbitMQ has confirmed that. The part of the reason before its first colon is
// the label in the metrics, so it should come from a small set.
func (d *Delivery) Reject(reason string) {
	if d.conn.unacked.reject(d.tag) {
		d.conn.reject(rejection{delivery: d, reason: reason, at: time.Now()})
	}
}

func newDelivery(c *connection, m *amqp.Delivery) *Delivery {
	d := &Delivery{
		Body:        m.Body,
		Exchange:    m.Exchange,
		RoutingKey:  m.RoutingKey,
		Broker:      c.broker.name,
		Redelivered: m.Redelivered,
		conn:        c,
		tag:         m.DeliveryTag,
		headers:     m.Headers,
		contentType: m.ContentType,
		encoding:    m.ContentEncoding,
		messageID:   m.MessageId,
		timestamp:   m.Timestamp,
	}
	if m.Headers != nil {
		d.Compression, _ = m.Headers["compression"].(string)
	}
	return d
}
