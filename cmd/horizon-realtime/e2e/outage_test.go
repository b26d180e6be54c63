//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// TestBrokerRestarts stops RabbitMQ under traffic and starts it again. Everything
// that it had accepted arrives once; the clients never notice.
func TestBrokerRestarts(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	client := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")

	sent := map[string]bool{}
	create := func(i int) {
		o := order{Step: "create", Formats: []string{"versioned"}, Instance: fmt.Sprintf("bbbbbbbb-2222-3333-4444-%012d", i),
			Project: alpha.ID, User: alpha.User.ID, Name: fmt.Sprintf("server-%d", i)}
		nova.publish(o)
		sent[o.Instance] = true
	}
	for i := range 20 {
		create(i)
	}
	// Stopped while the router is still busy with them.
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	testwait.Succeeds(t, "readiness fails without a broker", func() error {
		if r.ready() == nil {
			return fmt.Errorf("it is ready")
		}
		return nil
	})
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	// nova's exchange is not durable: it is gone until nova publishes again, and
	// what nova publishes before the router is bound to it, RabbitMQ does not keep
	// for us. So a first notification brings the exchange back.
	testwait.Succeeds(t, "readiness", r.ready)
	prime(t, nova, r, broker)
	for i := 20; i < 40; i++ {
		create(i)
	}

	offset := uint64(0)
	active := map[string]bool{}
	for len(active) < len(sent) {
		e := client.next()
		switch e.Event {
		case "publication":
			if e.Offset <= offset {
				t.Fatalf("offset %d came after %d", e.Offset, offset)
			}
			offset = e.Offset
			if e.Data.Event == "instance.create.end" {
				if active[e.Data.ID] {
					t.Fatalf("%s was told twice", e.Data.ID)
				}
				active[e.Data.ID] = true
			}
		default:
			t.Fatalf("the client noticed: %+v", e)
		}
	}
}

// TestClientComesBack cuts a client's connection, publishes meanwhile, and looks
// for each publication exactly once.
func TestClientComesBack(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL(), "[hub]\nhistory_size = 50")
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	for _, c := range []struct {
		name      string
		servers   int
		recovered bool
	}{
		{"within the history", 3, true},
		{"past the history", 40, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			nova.t = t
			witness := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")
			client := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances")
			create := func(i int) {
				nova.publish(order{Step: "create", Formats: []string{"legacy"}, Instance: fmt.Sprintf("dddddddd-2222-3333-%04d-%012d", c.servers, i),
					Project: alpha.ID, User: alpha.User.ID, Name: fmt.Sprintf("server-%d", i)})
			}
			until := func(n *node, end string) (offsets []uint64) {
				for {
					if e := n.expect("publication"); true {
						offsets = append(offsets, e.Offset)
						if e.Data.ID == end && e.Data.Event == "compute.instance.create.end" {
							return offsets
						}
					}
				}
			}
			last := func(i int) string { return fmt.Sprintf("dddddddd-2222-3333-%04d-%012d", c.servers, i) }
			create(0)
			until(client, last(0))
			until(witness, last(0))

			client.say("away 2000")
			client.expect("connecting")
			for i := range c.servers {
				create(1 + i)
			}
			told := until(witness, last(c.servers))
			back := client.expect("subscribed")
			if back.Recovered != c.recovered {
				t.Fatalf("recovered: %v, want %v", back.Recovered, c.recovered)
			}
			if !c.recovered {
				return
			}
			got := until(client, last(c.servers))
			if fmt.Sprint(got) != fmt.Sprint(told) {
				t.Fatalf("the client that was away got %v, the one that stayed %v", got, told)
			}
		})
	}
}
