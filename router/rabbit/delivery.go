package rabbit

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Handler takes one delivery. It is called from one goroutine for each broker,
// in the order of the broker's queue, and may keep the Delivery. While it
// blocks, that broker sends at most Config.Prefetch more.
type Handler func(*Delivery)

// Delivery is one message of the queue. Exactly one of Ack and Reject is owed,
// from any goroutine, in any order; a second call does nothing, and neither
// does one after the connection it came over was lost, since RabbitMQ delivers
// the message again then.
type Delivery struct {
	// Body is the message as it was published. It belongs to the handler.
	Body []byte
	// Compression is the header compression of oslo's kombu_compression, such as
	// application/x-gzip, or empty.
	Compression string
	// Exchange and RoutingKey are those it was published with.
	Exchange, RoutingKey string
	// Broker names the connection it came over, without credentials.
	Broker string
	// Redelivered says that it may have been handled before.
	Redelivered bool

	session     *session
	tag         uint64
	headers     amqp.Table
	contentType string
	encoding    string
	messageID   string
	timestamp   time.Time
}

// Ack says that the message has been dealt with. RabbitMQ forgets it once all
// those delivered before it are settled too.
func (d *Delivery) Ack() {
	if d.session.window.settle(d.tag) {
		d.session.settled()
	}
}

// Reject puts the message aside: it goes to the group's dead-letter queue with
// the reason in the header x-horizon-realtime-reason, and is acknowledged once
// RabbitMQ has confirmed that. The part of the reason before its first colon is
// the label in the metrics, so it should come from a small set.
func (d *Delivery) Reject(reason string) {
	if d.session.window.reject(d.tag) {
		d.session.reject(rejection{delivery: d, reason: reason, at: time.Now()})
	}
}

func newDelivery(s *session, m *amqp.Delivery) *Delivery {
	d := &Delivery{
		Body:        m.Body,
		Exchange:    m.Exchange,
		RoutingKey:  m.RoutingKey,
		Broker:      s.broker.name,
		Redelivered: m.Redelivered,
		session:     s,
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
