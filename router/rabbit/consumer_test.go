package rabbit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// A service's exchange that does not exist yet is not made by us, and is bound
// once the service has made it, while the consumer goes on.
func TestExchangeAppearsLater(t *testing.T) {
	cfg := testConfig(t)
	early, late := cfg.Group+"-early", cfg.Group+"-late"
	cfg.Exchanges = []string{early, late}
	b := dial(t, node.URL())
	b.exchange(early, false)
	var got list
	c := consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(1)
	if diff := cmp.Diff([]string{late}, c.Status()[0].Missing); diff != "" {
		t.Fatal(diff)
	}
	if n := c.metric("missing_exchanges"); n != 1 {
		t.Fatalf("missing_exchanges is %v", n)
	}
	b.publish(early, "notifications.info", "1")
	testwait.Until(t, "the first delivery", func() bool { return got.len() == 1 })
	out, err := node.Ctl("list_exchanges", "--no-table-headers", "name")
	if err != nil || strings.Contains(out, late) || !strings.Contains(out, early) {
		t.Fatalf("exchanges:\n%s\nerror: %v", out, err)
	}
	b.exchange(late, true)
	c.bound(2)
	b.publish(late, "versioned_notifications.error", "2")
	b.publish(late, "compute.host1", "an RPC call")
	b.publish(late, "notifications.info", "3")
	testwait.Until(t, "three deliveries", func() bool { return got.len() == 3 })
	if diff := cmp.Diff([]string{"1", "2", "3"}, got.get()); diff != "" {
		t.Fatal(diff)
	}
	if n := c.metric("reconnects_total"); n != 0 {
		t.Fatalf("reconnects_total is %v", n)
	}
	// Deleted and made again, as after a service's upgrade: bound again.
	deleteExchange(late)
	c.bound(1)
	b.exchange(late, false)
	c.bound(2)
	b.publish(late, "notifications.info", "4")
	testwait.Until(t, "four deliveries", func() bool { return got.len() == 4 })
}

func TestDeclareMakesExchangesOnlyWhenAsked(t *testing.T) {
	cfg := testConfig(t)
	cfg.Declare = true
	t.Cleanup(func() { deleteExchange(cfg.Exchanges[0]) })
	consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false) // 406 if it were durable
}

func TestQueueArguments(t *testing.T) {
	cfg := testConfig(t)
	cfg.Queue.MaxLength, cfg.Queue.MaxBytes = 3, 1<<20
	cfg.Queue.MessageTTL, cfg.Queue.Expires = time.Minute, 90*time.Second
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1)
	out, err := node.Ctl("list_queues", "--no-table-headers", "name", "durable", "auto_delete", "exclusive", "arguments")
	if err != nil {
		t.Fatal(err)
	}
	var line string
	for _, l := range strings.Split(out, "\n") {
		if strings.HasPrefix(l, cfg.QueueName()+"\t") {
			line = l
		}
	}
	if !regexp.MustCompile(`\ttrue\tfalse\t(false)?\t`).MatchString(line) {
		t.Errorf("durable, auto_delete, exclusive: %q", line)
	}
	for _, want := range []string{`{"x-max-length",3}`, `{"x-max-length-bytes",1048576}`,
		`{"x-message-ttl",60000}`, `{"x-expires",90000}`, `{"x-overflow","drop-head"}`, `{"x-queue-type","quorum"}`, `{"x-delivery-limit",1000000}`} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %q", want, line)
		}
	}
	// The queue outlives the router, keeps what is accepted meanwhile, and
	// drops the oldest over its length.
	c.stop()
	for i := range 5 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	var got list
	consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() })
	testwait.Until(t, "three deliveries", func() bool { return got.len() == 3 })
	if diff := cmp.Diff([]string{"2", "3", "4"}, got.get()); diff != "" {
		t.Fatal(diff)
	}
}

// Another consumer's queue keeps every message, and ours gets its own copy.
func TestTakesNothingFromOthers(t *testing.T) {
	cfg := testConfig(t)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	// As oslo's publisher does it with amqp_durable_queues; RabbitMQ denies others one day.
	if _, err := b.QueueDeclare("notifications.info", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.QueueBind("notifications.info", "notifications.info", cfg.Exchanges[0], false, nil); err != nil {
		t.Fatal(err)
	}
	var got list
	c := consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(1)
	for i := range 20 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	testwait.Until(t, "20 acknowledged", func() bool { return c.metric("acked_total") == 20 })
	q, err := b.QueueDeclarePassive("notifications.info", true, false, false, false, nil)
	if err != nil || q.Messages != 20 || q.Consumers != 0 {
		t.Fatalf("notifications.info has %d messages and %d consumers, error %v", q.Messages, q.Consumers, err)
	}
	if got.len() != 20 {
		t.Fatalf("%d deliveries", got.len())
	}
}

// Deliveries are settled from several goroutines in any order, and all of them
// are acknowledged; no more than the prefetch is out at a time.
func TestAcksOutOfOrderWithinThePrefetch(t *testing.T) {
	cfg := testConfig(t)
	cfg.Prefetch = 10
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	taken := make(chan *rabbit.Delivery, 100)
	c := consume(t, cfg, func(d *rabbit.Delivery) { taken <- d }).ready().bound(1)
	for i := range 30 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	testwait.Until(t, "the prefetch", func() bool { return len(taken) == 10 })
	testwait.Until(t, "20 left", func() bool { return messages(t, cfg.QueueName()) == 20 })
	if n := c.metric("unacked"); n != 10 {
		t.Fatalf("unacked is %v", n)
	}
	var first []*rabbit.Delivery
	for range 10 {
		first = append(first, <-taken)
	}
	slices.Reverse(first)
	for _, d := range first[:9] { // all but the oldest
		d.Ack()
		d.Ack() // once more does nothing
	}
	if n := c.metric("acked_total"); n != 0 {
		t.Fatalf("%v acknowledged before the oldest", n)
	}
	first[9].Ack()
	testwait.Until(t, "10 acknowledged", func() bool { return c.metric("acked_total") == 10 })
	for range 20 {
		d := <-taken
		go d.Ack()
	}
	testwait.Until(t, "30 acknowledged", func() bool { return c.metric("acked_total") == 30 })
	c.stop()
	if n := messages(t, cfg.QueueName()); n != 0 {
		t.Fatalf("%d messages came back", n)
	}
}

// Deliveries not settled at a hard stop come back, those settled do not.
func TestStopAcknowledgesWhatIsSettled(t *testing.T) {
	cfg := testConfig(t)
	cfg.AckInterval = time.Minute // so that only the end acknowledges
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	taken := make(chan *rabbit.Delivery, 10)
	c := consume(t, cfg, func(d *rabbit.Delivery) { taken <- d }).ready().bound(1)
	for i := range 5 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	testwait.Until(t, "five deliveries", func() bool { return len(taken) == 5 })
	for range 3 {
		(<-taken).Ack()
	}
	c.stop()
	(<-taken).Ack() // void
	var again list
	consume(t, cfg, func(d *rabbit.Delivery) { again.add(fmt.Sprint(string(d.Body), " ", d.Redelivered)); d.Ack() })
	testwait.Until(t, "two redelivered", func() bool { return again.len() == 2 })
	if diff := cmp.Diff([]string{"3 true", "4 true"}, again.get()); diff != "" {
		t.Fatal(diff)
	}
}

func TestDrain(t *testing.T) {
	cfg := testConfig(t)
	cfg.Prefetch, cfg.AckInterval = 8, time.Second
	cfg.Queue.Type = "classic" // a quorum queue counts a cancelled consumer until all is settled
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	taken := make(chan *rabbit.Delivery, 100)
	c := consume(t, cfg, func(d *rabbit.Delivery) { taken <- d }).ready().bound(1)
	for i := range 20 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	testwait.Until(t, "the prefetch", func() bool { return len(taken) == 8 })
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Drain(expired); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "8 deliveries") {
		t.Fatalf("error %v", err)
	}
	if err := c.Ready(); err == nil {
		t.Fatal("ready while draining")
	}
	testwait.Until(t, "the consumer cancelled", func() bool {
		q, err := b.QueueDeclarePassive(cfg.QueueName(), true, false, false, false, nil)
		return err == nil && q.Consumers == 0
	})
	for range 8 {
		go (<-taken).Ack()
	}
	ctx, cancel := context.WithTimeout(context.Background(), testwait.Limit)
	defer cancel()
	if err := c.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n := c.metric("acked_total"); n != 8 {
		t.Fatalf("%v acknowledged", n)
	}
	c.stop()
	if n := messages(t, cfg.QueueName()); n != 12 {
		t.Fatalf("%d messages left", n)
	}
}

// Drain of a consumer that cannot connect, or never ran, has nothing to wait for.
func TestDrainWithoutConnection(t *testing.T) {
	cfg := testConfig(t)
	cfg.URLs = []string{"amqp://guest:guest@127.0.0.1:1/"}
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
	testwait.Until(t, "an attempt", func() bool { return c.metric("reconnects_total") > 0 })
	if err := c.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	idle, err := rabbit.New(cfg, func(d *rabbit.Delivery) { d.Ack() }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A quorum queue, which clusters prefer, takes the same bounds.
func TestQuorumQueue(t *testing.T) {
	cfg := testConfig(t)
	cfg.Queue.Type = "quorum"
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) {
		if string(d.Body) == "bad" {
			d.Reject("why")
		} else {
			d.Ack()
		}
	}).ready().bound(1)
	for range 50 {
		b.publish(cfg.Exchanges[0], "notifications.info", "good")
	}
	b.publish(cfg.Exchanges[0], "notifications.info", "bad")
	testwait.Until(t, "all acknowledged", func() bool { return c.metric("acked_total") == 51 })
	testwait.Until(t, "a dead letter", func() bool { return messages(t, cfg.DeadLetterName()) == 1 })
	for _, queue := range []string{cfg.QueueName(), cfg.DeadLetterName()} {
		c.stop()
		if _, err := b.QueueDelete(queue, false, false, false); err != nil {
			t.Fatal(err)
		}
	}
}
