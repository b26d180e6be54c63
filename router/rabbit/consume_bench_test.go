package rabbit_test

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
)

// BenchmarkConsume empties a queue of notifications of 3 kB, the median of real
// ones: with the client library alone, with a Consumer that settles at once,
// and with one whose deliveries four goroutines settle.
func BenchmarkConsume(b *testing.B) {
	b.Run("library", func(b *testing.B) {
		cfg := fill(b)
		conn := dial(b, node.URL()).conn
		ch, err := conn.Channel()
		if err != nil {
			b.Fatal(err)
		}
		if err := ch.Qos(cfg.Prefetch, 0, false); err != nil {
			b.Fatal(err)
		}
		stop := measure(b)
		deliveries, err := ch.Consume(cfg.QueueName(), "", false, false, false, false, nil)
		if err != nil {
			b.Fatal(err)
		}
		for n := 1; n <= b.N; n++ {
			m := <-deliveries
			if n%(cfg.Prefetch/4) == 0 || n == b.N {
				if err := ch.Ack(m.DeliveryTag, true); err != nil {
					b.Fatal(err)
				}
			}
		}
		stop()
	})
	b.Run("consumer", func(b *testing.B) {
		cfg := fill(b)
		consumeAll(b, cfg, func(d *rabbit.Delivery) { d.Ack() })
	})
	b.Run("consumer-workers", func(b *testing.B) {
		cfg := fill(b)
		work := make(chan *rabbit.Delivery, 64)
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for d := range work {
					d.Ack()
				}
			})
		}
		consumeAll(b, cfg, func(d *rabbit.Delivery) { work <- d })
		close(work)
		workers.Wait()
	})
}

// measure starts the clock; the function it returns stops it and reports the
// rate, and the processor time of this process: the broker's share of the
// machine blurs the rate.
func measure(b *testing.B) func() {
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	return func() {
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	}
}

func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// consumeAll runs until b.N deliveries were handled.
func consumeAll(b *testing.B, cfg rabbit.Config, handler rabbit.Handler) {
	var n atomic.Int64
	done := make(chan struct{})
	stop := measure(b)
	c := consume(b, cfg, func(d *rabbit.Delivery) {
		handler(d)
		if n.Add(1) == int64(b.N) {
			close(done)
		}
	})
	<-done
	stop()
	c.stop()
}

// fill puts b.N messages into the queue of a consumer that does not run.
func fill(b *testing.B) rabbit.Config {
	b.Helper()
	cfg := testConfig(b)
	ch := dial(b, node.URL())
	ch.exchange(cfg.Exchanges[0], false)
	consume(b, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1).stop()
	if _, err := ch.QueuePurge(cfg.QueueName(), false); err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 3000)
	var last *amqp.DeferredConfirmation
	for i := range b.N {
		var err error
		last, err = ch.PublishWithDeferredConfirm(cfg.Exchanges[0], "notifications.info", false, false,
			amqp.Publishing{ContentType: "application/json", ContentEncoding: "utf-8", Body: body})
		if err != nil {
			b.Fatal(err)
		}
		if i%500 == 499 {
			last.Wait()
		}
	}
	last.Wait()
	return cfg
}
