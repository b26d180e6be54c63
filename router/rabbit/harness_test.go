package rabbit_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// testConfig has a group and an exchange of the test's own, on the node that it
// starts if no test has.
func testConfig(t testing.TB) rabbit.Config {
	t.Helper()
	if err := startNode(); err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(strings.ToLower(t.Name()), "/", "-")
	name = name[:min(len(name), 60)]
	cfg := rabbit.DefaultConfig()
	cfg.URLs = []string{node.URL()}
	cfg.Group = name
	cfg.Exchanges = []string{name}
	cfg.ExchangeRetry, cfg.ExchangeRetryMax = 100*time.Millisecond, 200*time.Millisecond
	cfg.Reconnect.Min, cfg.Reconnect.Max = 20*time.Millisecond, 200*time.Millisecond
	return cfg
}

// consumer is a rabbit.Consumer that runs until the test ends.
type consumer struct {
	*rabbit.Consumer
	t    testing.TB
	cfg  rabbit.Config
	reg  *prometheus.Registry
	stop func()
	log  *lockedBuffer
}

func consume(t testing.TB, cfg rabbit.Config, handler rabbit.Handler) *consumer {
	t.Helper()
	c := &consumer{t: t, cfg: cfg, reg: prometheus.NewRegistry(), log: new(lockedBuffer)}
	var err error
	c.Consumer, err = rabbit.New(cfg, handler, slog.New(slog.NewTextHandler(c.log, nil)), c.reg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	c.stop = func() { cancel(); <-done }
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Log(c.log.String())
		}
	})
	return c
}

func (c *consumer) ready() *consumer {
	c.t.Helper()
	testwait.Until(c.t, "consuming", func() bool { return c.Ready() == nil })
	return c
}

// bound waits until n exchanges are bound on each broker.
func (c *consumer) bound(n int) *consumer {
	c.t.Helper()
	testwait.Until(c.t, fmt.Sprintf("%d exchanges bound", n), func() bool {
		for _, s := range c.Status() {
			if len(s.Bound) != n {
				return false
			}
		}
		return true
	})
	return c
}

// metric is the sum over the labels.
func (c *consumer) metric(name string) (sum float64) {
	c.t.Helper()
	families, err := c.reg.Gather()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "horizon_realtime_amqp_"+name {
			for _, m := range f.Metric {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// broker is a test's own view of RabbitMQ, in confirm mode.
type broker struct {
	*amqp.Channel
	t    testing.TB
	conn *amqp.Connection
}

func dial(t testing.TB, url string) *broker {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return &broker{ch, t, conn}
}

// exchange makes one as a service does.
func (b *broker) exchange(name string, durable bool) {
	b.t.Helper()
	if err := b.ExchangeDeclare(name, "topic", durable, false, false, false, nil); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { deleteExchange(name) })
}

func deleteExchange(name string) {
	conn, err := amqp.Dial(node.URL())
	if err != nil {
		return
	}
	defer conn.Close()
	if ch, err := conn.Channel(); err == nil {
		_ = ch.ExchangeDelete(name, false, false)
	}
}

// publish returns when RabbitMQ has accepted it.
func (b *broker) publish(exchange, key, body string) {
	b.t.Helper()
	if err := b.tryPublish(exchange, key, body); err != nil {
		b.t.Fatal(err)
	}
}

func (b *broker) tryPublish(exchange, key, body string) error {
	c, err := b.PublishWithDeferredConfirm(exchange, key, false, false, amqp.Publishing{
		ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: 2, Body: []byte(body)})
	if err != nil {
		return err
	}
	if !c.Wait() {
		return fmt.Errorf("message %q was not accepted", body)
	}
	return nil
}

// ctl runs rabbitmqctl on the node.
func ctl(t testing.TB, args ...string) {
	t.Helper()
	if _, err := node.Ctl(args...); err != nil {
		t.Fatal(err)
	}
}

// messages is how many wait in a queue, or -1 if there is none.
func messages(t testing.TB, queue string) int {
	t.Helper()
	b := dial(t, node.URL())
	defer b.conn.Close()
	q, err := b.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		return -1
	}
	return q.Messages
}

// left waits until n messages are in the group's queue: a quorum queue takes back
// what was unacknowledged a moment after the connection has ended.
func left(t testing.TB, cfg rabbit.Config, n int) {
	t.Helper()
	testwait.Until(t, fmt.Sprintf("%d messages left", n), func() bool { return messages(t, cfg.QueueName()) == n })
}

// list collects strings from any goroutine.
type list struct {
	mu    sync.Mutex
	items []string
}

func (l *list) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, s)
}

func (l *list) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.items...)
}

func (l *list) len() int { return len(l.get()) }

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
