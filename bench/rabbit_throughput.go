package main

import (
	"fmt"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// throughput measures how fast the real binary works off a queue of nova's
// recorded notifications, beside consumers that only acknowledge them, each as it
// comes or many at once, as all find the queue full. What is acknowledged or
// decoded is not published at the same time, so that the publisher takes no part.
func throughput() ([]result, error) {
	b, err := startBus()
	if err != nil {
		return nil, err
	}
	defer b.stop()
	messages, err := novaTemplates()
	if err != nil {
		return nil, err
	}
	backlog := size(60_000, 10_000)
	var ours, many, each []drained
	for range size(7, 1) {
		for _, drain := range []struct {
			into *[]drained
			run  func(int) (drained, error)
		}{
			{&ours, b.drainByRouter},
			{&many, func(n int) (drained, error) { return b.drainByAcks(n, prefetch/4) }},
			{&each, func(n int) (drained, error) { return b.drainByAcks(n, 1) }},
		} {
			if err := b.fill(messages, backlog); err != nil {
				return nil, fmt.Errorf("fill the queue: %w", err)
			}
			d, err := drain.run(backlog)
			if err != nil {
				return nil, err
			}
			*drain.into = append(*drain.into, d)
		}
	}
	rate := func(d drained) float64 { return d.rate }
	cpu := func(d drained) float64 { return float64(d.cpu) / 1e3 }
	inBatches, oneByOne := fmt.Sprintf("amqp091-go, acknowledging %d at once and no more", prefetch/4), "amqp091-go, acknowledging each and no more"
	return []result{
		row("throughput of the program, nova's notifications (goal 0.85)", "/s", median(ours, rate), median(many, rate), inBatches),
		row("throughput of the program, nova's notifications", "/s", median(ours, rate), median(each, rate), oneByOne),
		row("CPU per notification of the program", "µs", median(ours, cpu), median(many, cpu), inBatches),
		row("CPU per notification of the program", "µs", median(ours, cpu), median(each, cpu), oneByOne),
	}, nil
}

// drained is how fast a queue was worked off: messages per second, and CPU per message.
type drained struct {
	rate float64
	cpu  time.Duration
}

// published numbers the messages of this run, for their ids.
var published int

var recordedID = regexp.MustCompile(`\\"message_id\\": \\"([0-9a-f-]{36})\\"`)

func novaTemplates() ([]*template, error) {
	all, err := recorded(exchange)
	if err != nil {
		return nil, err
	}
	var templates []*template
	for _, r := range all {
		m := recordedID.FindStringSubmatch(r.Body)
		if m == nil {
			return nil, fmt.Errorf("a recorded notification without a message id: %.200s", r.Body)
		}
		t, err := newTemplate(r.Body, m[1])
		if err != nil {
			return nil, err
		}
		templates = append(templates, t)
	}
	return templates, nil
}

// fill publishes while nobody consumes.
func (b *bus) fill(messages []*template, n int) error {
	ch, err := b.conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	if err := ch.Confirm(false); err != nil {
		return err
	}
	if _, err := ch.QueuePurge(b.queue, false); err != nil {
		return err
	}
	filling := bus{ch: ch}
	var window [1000]*amqp.DeferredConfirmation
	for i := range n {
		t := messages[i%len(messages)]
		for id := range t.parts {
			published++
			t.set(id, messageID(published))
		}
		slot := &window[i%len(window)]
		if *slot != nil && !(*slot).Wait() {
			return fmt.Errorf("RabbitMQ refused a message")
		}
		if *slot, err = filling.publish(t.body, true); err != nil {
			return err
		}
	}
	for _, c := range window {
		if c != nil && !c.Wait() {
			return fmt.Errorf("RabbitMQ refused a message")
		}
	}
	return nil
}

func (b *bus) drainByRouter(backlog int) (drained, error) {
	r, err := b.startRouter()
	if err != nil {
		return drained{}, err
	}
	defer r.stop()
	d, err := slope(backlog, r.count, r.cpu)
	if err != nil {
		return d, fmt.Errorf("the router: %w", err)
	}
	ended, sum, err := r.outcomes()
	if err != nil {
		return d, err
	}
	if sum != backlog || ended["routed"] < backlog/4 || ended["faulted"]+ended["denied"]+ended["malformed"]+ended["duplicate"] > 0 {
		return d, fmt.Errorf("%d notifications ended as %v", backlog, ended)
	}
	return d, nil
}

func (b *bus) drainByAcks(backlog, batch int) (drained, error) {
	c, err := startChild("amqp-acks", b.node.URL(), b.queue, strconv.Itoa(batch))
	if err != nil {
		return drained{}, err
	}
	defer c.stop()
	count := func() (int, error) {
		answer, err := c.ask("count")
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(answer)
	}
	d, err := slope(backlog, count, c.cpu)
	if err != nil {
		return d, fmt.Errorf("the bare consumer: %w", err)
	}
	return d, nil
}

// slope watches a consumer until it has had everything, and takes its rate from
// the first look after a tenth to the last look before the end, so that neither
// its start nor its running dry is in it. It looks seldom: reading the router's
// metrics takes a millisecond of a core.
func slope(backlog int, count func() (int, error), cpu func() time.Duration) (drained, error) {
	type look struct {
		at  time.Time
		n   int
		cpu time.Duration
	}
	var first, last look
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Duration(size(200, 40)) * time.Millisecond) {
		n, err := count()
		if err != nil {
			return drained{}, err
		}
		now := look{time.Now(), n, cpu()}
		switch {
		case n >= backlog:
			if last.n <= first.n {
				return drained{}, fmt.Errorf("%d notifications were gone before two looks at them", backlog)
			}
			n := last.n - first.n
			return drained{float64(n) / last.at.Sub(first.at).Seconds(), (last.cpu - first.cpu) / time.Duration(n)}, nil
		case n >= backlog/10 && first.n == 0:
			first = now
		case n >= backlog/10:
			last = now
		}
		if time.Now().After(deadline) {
			return drained{}, fmt.Errorf("%d of %d notifications were consumed in time", n, backlog)
		}
	}
}

// serveAcks is the floor for a consumer: the client library, the router's
// prefetch, and an acknowledgement of args[2] messages at once.
func serveAcks(args []string) error {
	batch, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	conn, err := amqp.Dial(args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := ch.Consume(args[1], "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	var n atomic.Int64
	go func() {
		rest := time.NewTicker(20 * time.Millisecond)
		acked, tag := int64(0), uint64(0)
		ack := func() {
			if n.Load() > acked {
				acked = n.Load()
				ch.Ack(tag, true)
			}
		}
		for {
			select {
			case m, ok := <-deliveries:
				if !ok {
					return
				}
				tag = m.DeliveryTag
				if n.Add(1)-acked == batch {
					ack()
				}
			case <-rest.C:
				ack()
			}
		}
	}()
	return serveChild("consuming", func([]string) any { return n.Load() })
}
