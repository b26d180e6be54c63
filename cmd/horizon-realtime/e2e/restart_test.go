//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// TestRestart stops a router and starts it again. What is announced in between waits in
// RabbitMQ, and a client recovers across the gap as if nothing had happened.
func TestRestart(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL(), fmt.Sprintf("[hub]\nhistory_file = %q", filepath.Join(t.TempDir(), "history")))
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	client := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")
	offset := uint64(0)
	create := func(i int) {
		nova.publish(order{Step: "create", Formats: []string{"versioned"}, Instance: fmt.Sprintf("eeeeeeee-2222-3333-4444-%012d", i),
			Project: alpha.ID, User: alpha.User.ID, Name: fmt.Sprintf("server-%d", i)})
	}
	hear := func(i int) {
		for want := fmt.Sprintf("eeeeeeee-2222-3333-4444-%012d", i); ; {
			e := client.expect("publication")
			if e.Offset <= offset {
				t.Fatalf("offset %d came after %d", e.Offset, offset)
			}
			if offset = e.Offset; e.Data.ID == want && e.Data.Event == "instance.create.end" {
				return
			}
		}
	}
	create(0)
	hear(0)
	for round := range 2 {
		r.cmd.Process.Signal(syscall.SIGTERM)
		testwait.Receive(t, "the router's end", r.done)
		create(2*round + 1)
		r.process = start(t, binary, r.cmd.Args[1:]...)
		testwait.Succeeds(t, "readiness", r.ready)
		if back := client.expect("subscribed"); !back.Recovered {
			t.Fatal("not recovered")
		}
		hear(2*round + 1)
		create(2*round + 2)
		hear(2*round + 2)
	}
}
