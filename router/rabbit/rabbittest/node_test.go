package rabbittest_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// A message in a durable queue is there again after the node was stopped and
// started, and nothing of the node is left once it is closed.
func TestNodeKeepsItsDataAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	n, err := rabbittest.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	queue(t, n, func(ch *amqp.Channel) {
		if _, err := ch.QueueDeclare("kept", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if err := ch.Confirm(false); err != nil {
			t.Fatal(err)
		}
		c, err := ch.PublishWithDeferredConfirm("", "kept", false, false, amqp.Publishing{DeliveryMode: 2, Body: []byte("x")})
		if err != nil || !c.Wait() {
			t.Fatalf("publish: %v", err)
		}
	})
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.DialTimeout("tcp", n.Addr(), time.Second); err == nil {
		c.Close()
		t.Fatal("a stopped node still accepts connections")
	}
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	out, err := n.Ctl("list_queues", "--no-table-headers", "name", "messages")
	if err != nil || strings.TrimSpace(out) != "kept\t1" {
		t.Fatalf("queues %q, error %v", out, err)
	}
	if _, err := n.Ctl("no_such_command"); err == nil || !strings.Contains(err.Error(), "rabbitmqctl no_such_command") {
		t.Fatalf("error %v", err)
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Some of Erlang's own helpers notice a moment later that their parent has gone.
	testwait.Succeeds(t, "all of its processes have ended", func() error {
		if left := processesUnder(t, dir); len(left) > 0 {
			return fmt.Errorf("left running: %q", left)
		}
		return nil
	})
}

func queue(t *testing.T, n *rabbittest.Node, do func(*amqp.Channel)) {
	t.Helper()
	c, err := amqp.Dial(n.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	do(ch)
}

// processesUnder lists the processes that have dir in their environment.
func processesUnder(t *testing.T, dir string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(files) == 0 {
		t.Fatalf("read /proc: %d processes, %v", len(files), err)
	}
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(env), "HOME="+dir) {
			continue
		}
		cmd, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		found = append(found, strings.ReplaceAll(string(cmd), "\x00", " "))
	}
	return found
}
