package rabbit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Recorded is one notification as it was on the wire: a line of a recording.
type Recorded struct {
	// Received is when it was recorded, in Unix seconds; 0 if not known.
	Received   float64    `json:"received"`
	Exchange   string     `json:"exchange"`
	RoutingKey string     `json:"routing_key"`
	Properties Properties `json:"properties"`
	// Headers have JSON's types; a number without a fraction becomes an integer.
	Headers map[string]any `json:"headers"`
	// Body is exactly what was published.
	Body string `json:"body"`
}

// Properties are AMQP's own. The property user_id is left out, because RabbitMQ
// wants it to be the user who publishes.
type Properties struct {
	ContentType     string `json:"content_type,omitempty"`
	ContentEncoding string `json:"content_encoding,omitempty"`
	DeliveryMode    uint8  `json:"delivery_mode,omitempty"`
	Priority        uint8  `json:"priority,omitempty"`
	CorrelationID   string `json:"correlation_id,omitempty"`
	ReplyTo         string `json:"reply_to,omitempty"`
	Expiration      string `json:"expiration,omitempty"`
	MessageID       string `json:"message_id,omitempty"`
	Timestamp       int64  `json:"timestamp,omitempty"` // Unix seconds
	Type            string `json:"type,omitempty"`
	AppID           string `json:"app_id,omitempty"`
}

// ParseRecorded reads one line of a recording.
//
// # Errors
//
// No JSON object of that shape; no exchange, no routing key or no body.
func ParseRecorded(line []byte) (Recorded, error) {
	var r Recorded
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("read a recorded notification: %w", err)
	}
	switch {
	case r.Exchange == "":
		return r, errors.New(`read a recorded notification: no "exchange"`)
	case r.RoutingKey == "":
		return r, errors.New(`read a recorded notification: no "routing_key"`)
	case r.Body == "":
		return r, errors.New(`read a recorded notification: no "body"`)
	}
	for name, short := range map[string]string{"exchange": r.Exchange, "routing_key": r.RoutingKey} {
		if len(short) > 255 {
			return r, fmt.Errorf("read a recorded notification: %q has %d bytes, and AMQP allows 255", name, len(short))
		}
	}
	return r, nil
}

func (r *Recorded) publishing() amqp.Publishing {
	p := amqp.Publishing{
		ContentType:     r.Properties.ContentType,
		ContentEncoding: r.Properties.ContentEncoding,
		DeliveryMode:    r.Properties.DeliveryMode,
		Priority:        r.Properties.Priority,
		CorrelationId:   r.Properties.CorrelationID,
		ReplyTo:         r.Properties.ReplyTo,
		Expiration:      r.Properties.Expiration,
		MessageId:       r.Properties.MessageID,
		Type:            r.Properties.Type,
		AppId:           r.Properties.AppID,
		Body:            []byte(r.Body),
	}
	if r.Properties.Timestamp != 0 {
		p.Timestamp = time.Unix(r.Properties.Timestamp, 0)
	}
	if len(r.Headers) > 0 {
		p.Headers = table(r.Headers)
	}
	return p
}

func table(headers map[string]any) amqp.Table {
	t := make(amqp.Table, len(headers))
	for key, value := range headers {
		t[key] = field(value)
	}
	return t
}

// field turns what encoding/json makes into what AMQP knows.
func field(value any) any {
	switch v := value.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
		return v
	case map[string]any:
		return table(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = field(v[i])
		}
		return list
	default: // string, bool, nil
		return v
	}
}
