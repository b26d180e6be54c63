//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// TestMalformedBodies publishes messages that are no notifications. Each is put
// aside once, with the reason, and the next notification arrives.
func TestMalformedBodies(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	client := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")

	conn, err := amqp.Dial(broker.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	bad := []struct{ name, body, compression, reason string }{
		{"no JSON", "this is no JSON", "", "not_json"},
		{"cut off", `{"oslo.version": "2.0", "oslo.message": "{\"event_`, "", "not_json"},
		{"no UTF-8", "{\"event_type\": \"\xff\xfe\"}", "", "not_utf8"},
		{"too deep", `{"event_type": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "", "too_deep"},
		{"no event type", `{"oslo.version": "2.0", "oslo.message": "{}"}`, "", "no_event_type"},
		{"unknown compression", "x", "application/zstd", "compression"},
	}
	for _, b := range bad {
		message := amqp.Publishing{Body: []byte(b.body), ContentType: "application/json"}
		if b.compression != "" {
			message.Headers = amqp.Table{"compression": b.compression}
		}
		if err := channel.PublishWithContext(context.Background(), "nova", "notifications.info", false, false, message); err != nil {
			t.Fatal(err)
		}
	}
	nova.publish(order{Step: "create", Formats: []string{"versioned"}, Instance: "eeeeeeee-0000-0000-0000-000000000000",
		Project: alpha.ID, User: alpha.User.ID, Name: "after"})
	if e := client.expect("publication"); e.Data.ID != "eeeeeeee-0000-0000-0000-000000000000" {
		t.Fatalf("the client got %+v", e)
	}
	if n := r.metric(`horizon_realtime_notifications_total{outcome="malformed"}`); n != float64(len(bad)) {
		t.Errorf("%v messages were malformed, want %d", n, len(bad))
	}
	config := rabbit.DefaultConfig()
	for _, b := range bad {
		var letter amqp.Delivery
		testwait.Succeeds(t, "the dead letter of "+b.name, func() (err error) {
			var ok bool
			if letter, ok, err = channel.Get(config.DeadLetterName(), true); err == nil && !ok {
				err = fmt.Errorf("%s is empty", config.DeadLetterName())
			}
			return err
		})
		reason, _ := letter.Headers[rabbit.HeaderReason].(string)
		if !strings.HasPrefix(reason, b.reason) || string(letter.Body) != b.body || letter.Headers[rabbit.HeaderExchange] != "nova" {
			t.Errorf("%s: a dead letter with headers %v and body %q, want the reason %q", b.name, letter.Headers, letter.Body, b.reason)
		}
	}
}

// TestNoBroker starts the router before RabbitMQ. It waits, says so, and becomes
// ready by itself once RabbitMQ is there.
func TestNoBroker(t *testing.T) {
	broker := rabbittest.Start(t)
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	r := launchRouter(t, broker.URL())
	testwait.Succeeds(t, "readiness says that there is no broker", func() error {
		resp, err := http.Get("http://" + r.admin + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "source: amqp: broker "+broker.Addr()) {
			return fmt.Errorf("%s: %s", resp.Status, text)
		}
		return nil
	})
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	testwait.Succeeds(t, "readiness", r.ready)
}

// TestBusyPort starts a second program on the port of the first.
func TestBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "router.toml")
	config := fmt.Sprintf("[server]\nlisten = %q\n[admin]\nlisten = \"127.0.0.1:0\"\n[plugins]\ndir = %q\n", taken.Addr(), plugins)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, binary, "demo", "--config-file", file)
	<-p.done
	want := fmt.Sprintf(`horizon-realtime: [server] listen = "%s": listen tcp %s: bind: address already in use; free the address, or set another`, taken.Addr(), taken.Addr())
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.log(), want) {
		t.Errorf("exit code %d, want 1 and %q:\n%s", code, want, p.log())
	}
}

// TestShutdown sends SIGTERM under traffic. Readiness fails, what was taken is
// acknowledged, the client is told 3001, and the exit code is 0.
func TestShutdown(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	client := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")
	o := order{Step: "create", Formats: []string{"legacy", "versioned"}, Project: alpha.ID, User: alpha.User.ID, Name: "last"}
	for i := range 10 {
		o.Instance = fmt.Sprintf("ffffffff-2222-3333-4444-%012d", i)
		nova.publish(o)
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	for {
		e := client.next()
		if e.Event == "connecting" {
			if e.Code != 3001 {
				t.Errorf("the client was told %d, want 3001", e.Code)
			}
			break
		}
	}
	select {
	case <-r.done:
	case <-time.After(testwait.Limit):
		t.Fatalf("still running\n%s", r.log())
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, r.log())
	}
	for _, want := range []string{"msg=draining", "msg=stopped"} {
		if !strings.Contains(r.log(), want) {
			t.Errorf("the log has no %s:\n%s", want, r.log())
		}
	}
}
