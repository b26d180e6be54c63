package rabbit_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// While services publish (durably, confirmed), RabbitMQ is stopped in good
// order and then killed. Whatever it accepted arrives.
func TestOutageLosesNothingAccepted(t *testing.T) {
	cfg := testConfig(t)
	durable, passing := cfg.Group+"-durable", cfg.Group+"-passing"
	cfg.Exchanges = []string{durable, passing}
	b := dial(t, node.URL())
	b.exchange(durable, true)
	b.exchange(passing, false)
	var got list
	c := consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(2)

	var accepted list
	done := make(chan struct{})
	var stop atomic.Bool
	go func() {
		defer close(done)
		publishThroughOutages(durable, &accepted, &stop)
	}()
	for _, outage := range []func() error{node.Stop, func() error { node.Kill(); return nil }} {
		before := accepted.len()
		testwait.Until(t, "traffic", func() bool { return accepted.len() > before+50 })
		if err := outage(); err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", node.Addr()); err == nil {
			conn.Close()
			t.Fatal("the node still accepts connections")
		}
		testwait.Until(t, "not ready", func() bool { return c.Ready() != nil })
		if err := node.Start(); err != nil {
			t.Fatal(err)
		}
		// The exchange that is not durable is gone, unless RabbitMQ is 4.3 or later.
		testwait.Until(t, "the durable one bound", func() bool { return c.Ready() == nil && slices.Contains(c.Status()[0].Bound, durable) })
	}
	before := accepted.len()
	testwait.Until(t, "traffic again", func() bool { return accepted.len() > before+50 })
	stop.Store(true)
	<-done

	arrived := map[string]bool{}
	testwait.Until(t, "everything accepted has arrived", func() bool {
		for _, body := range got.get() {
			arrived[body] = true
		}
		return !slices.ContainsFunc(accepted.get(), func(body string) bool { return !arrived[body] })
	})
	// The service makes its exchange again at its next notification.
	b = dial(t, node.URL())
	b.exchange(passing, false)
	c.bound(2)
	b.publish(passing, "notifications.info", "after")
	testwait.Until(t, "the passing exchange's", func() bool { return slices.Contains(got.get(), "after") })
	if n := c.metric("reconnects_total"); n < 2 {
		t.Fatalf("reconnects_total is %v", n)
	}
	t.Logf("%d accepted, %d delivered", accepted.len(), got.len())
}

// publishThroughOutages notes what RabbitMQ has confirmed, and connects again
// as a service does.
func publishThroughOutages(exchange string, accepted *list, stop *atomic.Bool) {
	for n := 0; !stop.Load(); time.Sleep(10 * time.Millisecond) {
		conn, err := amqp.Dial(node.URL())
		if err != nil {
			continue
		}
		b := &broker{conn: conn}
		if b.Channel, err = conn.Channel(); err == nil {
			err = b.Confirm(false)
		}
		for ; err == nil && !stop.Load(); n++ {
			body := fmt.Sprint("message ", n)
			if err = b.tryPublish(exchange, "notifications.info", body); err == nil {
				accepted.add(body)
			}
		}
		_ = conn.Close()
	}
}

// What was in flight when the connection broke is delivered again, and settling
// the old deliveries does nothing to the new ones.
func TestDeliveriesOfALostConnectionAreVoid(t *testing.T) {
	cfg := testConfig(t)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	taken := make(chan *rabbit.Delivery, 10)
	c := consume(t, cfg, func(d *rabbit.Delivery) { taken <- d }).ready().bound(1)
	b.publish(cfg.Exchanges[0], "notifications.info", "1")
	b.publish(cfg.Exchanges[0], "notifications.info", "2")
	old := []*rabbit.Delivery{<-taken, <-taken}
	if _, err := node.Ctl("close_all_connections", "a test"); err != nil {
		t.Fatal(err)
	}
	first, second := <-taken, <-taken
	if string(first.Body) != "1" || !first.Redelivered || string(second.Body) != "2" {
		t.Fatalf("redelivered %q and %q", first.Body, second.Body)
	}
	old[0].Ack()
	old[1].Reject("late")
	second.Ack() // not first: nothing can be acknowledged yet
	if n := c.metric("acked_total") + c.metric("dead_lettered_total"); n != 0 {
		t.Fatalf("%v settled", n)
	}
	c.stop()
	left(t, cfg, 2)
	if log := c.log.String(); !strings.Contains(log, "a test") || strings.Contains(log, "guest:guest") {
		t.Fatalf("log:\n%s", log)
	}
}

// A queue that somebody deletes is declared and bound again.
func TestQueueDeleted(t *testing.T) {
	cfg := testConfig(t)
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	var got list
	c := consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(1)
	if _, err := b.QueueDelete(cfg.QueueName(), false, false, false); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "another connection", func() bool { return c.metric("reconnects_total") == 1 && c.Ready() == nil })
	b.publish(cfg.Exchanges[0], "notifications.info", "1")
	testwait.Until(t, "a delivery", func() bool { return got.len() == 1 })
	if log := c.log.String(); !strings.Contains(log, "consumer cancelled by the broker: queue "+cfg.QueueName()) {
		t.Fatalf("log:\n%s", log)
	}
}

// An exchange that was bound and is gone after a reconnect is bound as soon as its
// service makes it again, however patient the router is with others.
func TestExchangeReturnsAfterReconnect(t *testing.T) {
	cfg := testConfig(t)
	cfg.ExchangeRetry, cfg.ExchangeRetryMax = time.Hour, time.Hour
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1)
	deleteExchange(cfg.Exchanges[0])
	ctl(t, "close_all_connections", "a test")
	testwait.Until(t, "another connection", func() bool { return c.metric("reconnects_total") == 1 && c.Ready() == nil })
	c.bound(0)
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	made := time.Now()
	c.bound(1)
	if took := time.Since(made); took > 5*time.Second {
		t.Fatalf("bound after %s", took)
	}
}

// A broker that says nothing any more, without closing the connection, is given up.
func TestSilentBroker(t *testing.T) {
	cfg := testConfig(t)
	proxy := newProxy(t, node.Addr())
	cfg.URLs = []string{"amqp://guest:guest@" + proxy.addr + "/"}
	cfg.Heartbeat = time.Second
	b := dial(t, node.URL())
	b.exchange(cfg.Exchanges[0], false)
	var got list
	c := consume(t, cfg, func(d *rabbit.Delivery) { got.add(string(d.Body)); d.Ack() }).ready().bound(1)
	proxy.freeze()
	b.publish(cfg.Exchanges[0], "notifications.info", "1")
	testwait.Until(t, "another connection", func() bool { return c.metric("reconnects_total") == 1 && c.Ready() == nil })
	testwait.Until(t, "a delivery", func() bool { return got.len() == 1 })
	if log := c.log.String(); !strings.Contains(log, "i/o timeout") {
		t.Fatalf("log:\n%s", log)
	}
}

// proxy passes connections on to a broker.
type proxy struct {
	addr             string
	mu               sync.Mutex
	clients, servers []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String()}
	var accepting, serving sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		accepting.Wait()
		p.freeze()
		for _, client := range p.clients {
			client.Close()
		}
		serving.Wait()
	})
	accepting.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.clients, p.servers = append(p.clients, client), append(p.servers, server)
			p.mu.Unlock()
			serving.Go(func() { _, _ = io.Copy(client, server) })
			serving.Go(func() { _, _ = io.Copy(server, client) })
		}
	})
	return p
}

// freeze leaves the clients that are connected with an open connection that says
// nothing.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, server := range p.servers {
		server.Close()
	}
	p.servers = nil
}

// The next host of a cluster is tried at once; another broker that is down does
// not make the router unready.
func TestFailover(t *testing.T) {
	cfg := testConfig(t)
	cfg.URLs = []string{
		"rabbit://guest:guest@127.0.0.1:1,guest:guest@" + node.Addr() + "/",
		"amqp://u:secret@127.0.0.1:1/cell2",
	}
	cfg.Reconnect.Min, cfg.Reconnect.Max = time.Minute, time.Minute
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready()
	testwait.Until(t, "the other broker's failure", func() bool { return strings.Contains(c.Status()[1].Error, "refused") })
	s := c.Status()
	if !s[0].Consuming || s[0].Host != node.Addr() || s[0].Queue != cfg.QueueName() || s[1].Consuming {
		t.Fatalf("status %+v", s)
	}
	if n := c.metric("connected"); n != 1 {
		t.Fatalf("connected is %v", n)
	}
	if log := c.log.String(); strings.Contains(log, "secret") || !strings.Contains(log, "127.0.0.1:1/cell2") {
		t.Fatalf("log:\n%s", log)
	}
}

func TestTLS(t *testing.T) {
	cfg := testConfig(t)
	cfg.URLs = []string{"amqps://guest:guest@" + tlsAddr + "/"}
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	t.Run("unknown authority", func(t *testing.T) {
		c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
		testwait.Until(t, "refused by us", func() bool {
			err := c.Ready()
			return err != nil && strings.Contains(err.Error(), "unknown authority")
		})
	})
	t.Run("each on the other's port", func(t *testing.T) {
		for url, want := range map[string]string{
			"rabbit://guest:guest@" + tlsAddr + "/?ssl=0":     "does this port want TLS?",
			"rabbit://guest:guest@" + node.Addr() + "/?ssl=1": "this port does not speak TLS",
		} {
			cfg := cfg
			cfg.URLs = []string{url}
			c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
			testwait.Until(t, "refused", func() bool { err := c.Ready(); return err != nil && strings.Contains(err.Error(), want) })
			c.stop()
		}
	})
	cfg.TLS.CAFile = certs + "/ca.pem"
	t.Run("no client certificate", func(t *testing.T) {
		c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
		testwait.Until(t, "refused by the broker", func() bool {
			err := c.Ready()
			return err != nil && (strings.Contains(err.Error(), "certificate") || c.metric("reconnects_total") > 2)
		})
	})
	cfg.TLS.CertFile, cfg.TLS.KeyFile = certs+"/client.pem", certs+"/client.key"
	t.Run("another name", func(t *testing.T) {
		cfg := cfg
		cfg.TLS.ServerName = "rabbit.example.org"
		c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
		testwait.Until(t, "refused by us", func() bool {
			err := c.Ready()
			return err != nil && strings.Contains(err.Error(), "rabbit.example.org")
		})
	})
	t.Run("good", func(t *testing.T) {
		cfg := cfg
		cfg.URLs = []string{"rabbit://guest:guest@" + tlsAddr + "/"}
		cfg.TLS.Enabled = true
		consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1)
	})
	for name, change := range map[string]func(*rabbit.TLSConfig){
		"ca_file":   func(c *rabbit.TLSConfig) { c.CAFile = certs + "/client.key" },
		"cert_file": func(c *rabbit.TLSConfig) { c.KeyFile = certs + "/server.key" },
	} {
		bad := cfg
		change(&bad.TLS)
		if _, err := rabbit.New(bad, nil, nil, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	cfg.TLS.CAFile = certs + "/missing.pem"
	if _, err := rabbit.New(cfg, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "missing.pem") {
		t.Errorf("error %v", errors.Unwrap(err))
	}
}
