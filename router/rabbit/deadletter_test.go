package rabbit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// get takes one message from a queue.
func (b *broker) get(queue string) amqp.Delivery {
	b.t.Helper()
	m, ok, err := b.Get(queue, true)
	if err != nil || !ok {
		b.t.Fatalf("queue %s: message %v, error %v", queue, ok, err)
	}
	return m
}

func TestRejectedGoesToTheDeadLetters(t *testing.T) {
	cfg := testConfig(t)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	long := "not_json: " + strings.Repeat("ä", 1000)
	c := consume(t, cfg, func(d *rabbit.Delivery) {
		switch string(d.Body) {
		case "good":
			d.Ack()
		case "long":
			d.Reject(long)
		default:
			d.Reject("not_json: unexpected end")
			d.Ack() // too late, does nothing
		}
	}).ready().bound(1)
	err := b.Publish(cfg.Exchanges[0], "notifications.error", false, false, amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", MessageId: "id-1",
		Headers: amqp.Table{"compression": "application/x-gzip", "nested": amqp.Table{"a": int32(1)}}, Body: []byte("bad")})
	if err != nil {
		t.Fatal(err)
	}
	b.publish(cfg.Exchanges[0], "notifications.info", "good")
	testwait.Until(t, "both acknowledged", func() bool { return c.metric("acked_total") == 2 })
	m := b.get(cfg.DeadLetterName())
	want := amqp.Table{"compression": "application/x-gzip", "nested": amqp.Table{"a": int32(1)},
		rabbit.HeaderReason: "not_json: unexpected end", rabbit.HeaderExchange: cfg.Exchanges[0], rabbit.HeaderRoutingKey: "notifications.error"}
	delete(m.Headers, "x-delivery-count") // of this delivery
	if diff := cmp.Diff(want, m.Headers); diff != "" {
		t.Fatal(diff)
	}
	if string(m.Body) != "bad" || m.ContentType != "application/json" || m.ContentEncoding != "utf-8" || m.MessageId != "id-1" || m.DeliveryMode != 2 {
		t.Fatalf("dead letter %+v", m)
	}
	if n := messages(t, cfg.DeadLetterName()) + messages(t, cfg.QueueName()); n != 0 {
		t.Fatalf("%d messages too many", n)
	}

	// Somebody deletes the queue, and its exchange goes with it: made again.
	if _, err := b.QueueDelete(cfg.DeadLetterName(), false, false, false); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		b.publish(cfg.Exchanges[0], "notifications.info", "long")
	}
	testwait.Until(t, "all acknowledged", func() bool { return c.metric("acked_total") == 102 })
	if n := messages(t, cfg.DeadLetterName()); n != 100 {
		t.Fatalf("%d dead letters", n)
	}
	if r := b.get(cfg.DeadLetterName()).Headers[rabbit.HeaderReason].(string); !strings.HasPrefix(long, r) || len(r) < 1000 || len(r) > 1024 {
		t.Fatalf("%d bytes of a reason: %q", len(r), r)
	}
	if n := c.metric("dead_lettered_total"); n != 101 {
		t.Fatalf("dead_lettered_total is %v", n)
	}
	if _, err := b.QueueDelete(cfg.DeadLetterName(), false, false, false); err != nil {
		t.Fatal(err)
	}
}

// The dead letters are bounded in number and bytes. The queue expires with the last,
// unless it is a quorum queue: that would expire although letters are put into it.
func TestDeadLetterArguments(t *testing.T) {
	t.Run("quorum", func(t *testing.T) { testDeadLetterArguments(t, "quorum") })
	t.Run("classic", func(t *testing.T) { testDeadLetterArguments(t, "classic") })
}

func testDeadLetterArguments(t *testing.T, kind string) {
	cfg := testConfig(t)
	cfg.Queue.Type = kind
	cfg.DeadLetter.MaxLength, cfg.DeadLetter.MaxBytes, cfg.DeadLetter.MessageTTL = 10, 4096, time.Minute
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Reject("why") }).ready().bound(1)
	for i := range 30 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	testwait.Until(t, "all acknowledged", func() bool { return c.metric("acked_total") == 30 })
	if n := messages(t, cfg.DeadLetterName()); n != 10 {
		t.Fatalf("%d dead letters", n)
	}
	out, err := node.Ctl("list_queues", "--no-table-headers", "name", "arguments")
	if err != nil {
		t.Fatal(err)
	}
	var line string
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, cfg.DeadLetterName()) {
			line = l
		}
	}
	for _, want := range []string{`{"x-max-length",10}`, `{"x-max-length-bytes",4096}`, `{"x-message-ttl",60000}`} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Contains(line, `{"x-expires",3660000}`) != (kind == "classic") || strings.Contains(line, "x-delivery-limit") != (kind == "quorum") {
		t.Error(line)
	}
}

func TestDeadLettersOff(t *testing.T) {
	cfg := testConfig(t)
	cfg.DeadLetter.Enabled = false
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Reject("why") }).ready().bound(1)
	b.publish(cfg.Exchanges[0], "notifications.info", "x")
	testwait.Until(t, "dropped", func() bool { return c.metric("dead_letters_dropped_total") == 1 && c.metric("acked_total") == 1 })
	if n := messages(t, cfg.DeadLetterName()); n != -1 {
		t.Fatal("a dead-letter queue was made")
	}
}

// While RabbitMQ is short of memory it takes no dead letters. The bad message
// is dropped after the timeout, and the good ones go on.
func TestMemoryAlarm(t *testing.T) {
	cfg := testConfig(t)
	cfg.DeadLetter.Timeout = 2 * time.Second
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	reject := make(chan *rabbit.Delivery, 1)
	c := consume(t, cfg, func(d *rabbit.Delivery) {
		if string(d.Body) == "bad" {
			reject <- d
		} else {
			d.Ack()
		}
	}).ready().bound(1)
	b.publish(cfg.Exchanges[0], "notifications.info", "bad")
	b.publish(cfg.Exchanges[0], "notifications.info", "good")
	if _, err := node.Ctl("set_vm_memory_high_watermark", "absolute", "1MB"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := node.Ctl("set_vm_memory_high_watermark", "0.4"); err != nil {
			t.Error(err)
		}
	})
	(<-reject).Reject("why")
	testwait.Until(t, "the alarm", func() bool { return c.metric("blocked") == 1 })
	testwait.Until(t, "dropped", func() bool { return c.metric("dead_letters_dropped_total") == 1 && c.metric("acked_total") == 2 })
	if err := c.Ready(); err != nil {
		t.Fatal(err)
	}
	if n := c.metric("reconnects_total"); n != 0 {
		t.Fatalf("reconnects_total is %v", n)
	}
}
