package rabbit_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// TestMovesToTheOtherType changes the type of a group's queue, to and fro, while a
// service publishes. No publish fails, every notification arrives in order, and the
// queue of before is gone.
func TestMovesToTheOtherType(t *testing.T) {
	for _, way := range [][2]string{{"classic", "quorum"}, {"quorum", "classic"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Queue.Type, cfg.Prefetch = way[0], 16
			next := cfg
			next.Queue.Type = way[1]
			b := dial(t, node.URL())
			b.exchange(cfg.Exchanges[0], true)
			var got list
			take := func(d *rabbit.Delivery) {
				if strings.HasPrefix(string(d.Body), "bad") {
					d.Reject("not_json: bad")
					return
				}
				got.add(string(d.Body))
				d.Ack()
			}
			before := consume(t, cfg, take).ready().bound(1)
			b.publish(cfg.Exchanges[0], "notifications.info", "bad")
			testwait.Until(t, "a dead letter", func() bool { return messages(t, cfg.DeadLetterName()) == 1 })

			var published atomic.Int64
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					if err := b.tryPublish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(n)); err != nil {
						t.Errorf("publish %d: %v", n, err)
						return
					}
					published.Add(1)
				}
			}()
			more := func(n int64) {
				t.Helper()
				want := published.Load() + n
				testwait.Until(t, "more published", func() bool { return published.Load() >= want })
			}
			more(50)
			before.stop()
			more(100) // which only the queue of before has
			after := consume(t, next, take).ready().bound(1)
			more(50)
			close(stop)
			<-done
			var seen map[string]bool
			testwait.Until(t, "everything arrives", func() bool {
				seen = map[string]bool{}
				for _, body := range got.get() {
					seen[body] = true
				}
				return int64(len(seen)) == published.Load()
			})
			// Without what was in both queues, and in the router's dedup window later.
			var once []string
			for _, body := range got.get() {
				if seen[body] {
					once = append(once, body)
					seen[body] = false
				}
			}
			if !slices.IsSortedFunc(once, func(a, b string) int { return len(a) - len(b) }) {
				t.Errorf("out of order: %v", once)
			}
			testwait.Until(t, "the queues of before are gone", func() bool {
				return messages(t, cfg.QueueName()) == -1 && messages(t, cfg.DeadLetterName()) == -1
			})
			if n := messages(t, next.DeadLetterName()); n != 1 {
				t.Errorf("%d dead letters", n)
			}
			letter := b.get(next.DeadLetterName())
			if letter.Headers[rabbit.HeaderReason] != "not_json: bad" || string(letter.Body) != "bad" {
				t.Errorf("dead letter %v %q", letter.Headers, letter.Body)
			}
			if log := after.log.String(); strings.Contains(log, "level=WARN") {
				t.Errorf("log:\n%s", log)
			}
			after.stop()
			deleteQueues(t, next)
		})
	}
}

// TestFormerQueueInUse leaves a queue alone that another router of the group
// consumes, and takes it over when that has gone.
func TestFormerQueueInUse(t *testing.T) {
	cfg := testConfig(t)
	cfg.Queue.Type = "classic"
	next := cfg
	next.Queue.Type = "quorum"
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	var old, got list
	before := consume(t, cfg, func(d *rabbit.Delivery) { old.add(string(d.Body)) }).ready().bound(1)
	after := consume(t, next, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(1)
	b.publish(cfg.Exchanges[0], "notifications.info", "1")
	testwait.Until(t, "both have it", func() bool { return old.len() == 1 && got.len() == 1 })
	if log := after.log.String(); !strings.Contains(log, "another router consumes it") {
		t.Fatalf("log:\n%s", log)
	}
	before.stop()
	testwait.Until(t, "what it left arrives, too", func() bool { return got.len() == 2 })
	testwait.Until(t, "its queue is gone", func() bool { return messages(t, cfg.QueueName()) == -1 })
	b.publish(cfg.Exchanges[0], "notifications.info", "2")
	testwait.Until(t, "more arrives", func() bool { return got.len() == 3 })
}

// TestLostConnectionsDropNothing loses more connections than RabbitMQ 4 delivers a
// message by default, with everything unacknowledged.
func TestLostConnectionsDropNothing(t *testing.T) {
	cfg := testConfig(t)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1).stop()
	for i := range 5 {
		b.publish(cfg.Exchanges[0], "notifications.info", fmt.Sprint(i))
	}
	for range 25 {
		var taken list
		c := consume(t, cfg, func(d *rabbit.Delivery) { taken.add(string(d.Body)) })
		testwait.Until(t, "all five", func() bool { return taken.len() == 5 })
		c.stop()
	}
	left(t, cfg, 5)
}

// deleteQueues deletes a group's queues as an operator should: unbound.
func deleteQueues(t testing.TB, cfg rabbit.Config) {
	t.Helper()
	b := dial(t, node.URL())
	for _, name := range []string{cfg.QueueName(), cfg.DeadLetterName()} {
		if _, err := b.QueueDelete(name, false, false, false); err != nil {
			t.Error(err)
		}
	}
}
