package session

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/hub"
)

// TestRecoveryThatDoesNotFit comes in pieces: the beginning with the reply, the rest as
// pushes, and then what is new.
func TestRecoveryThatDoesNotFit(t *testing.T) {
	w := start(t, DefaultConfig())
	for range 20 {
		w.hub.Say(t, "project/p1/a", `"`+strings.Repeat("x", 4<<10)+`"`)
	}
	c := w.connected(t, "ann@p1")
	c.room = 64 << 10
	c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/a","recover":true,"epoch":%q,"offset":0}}`, w.hub.Epoch()))
	m := c.hear()
	if s := m.Subscribe; !s.Recovered || !s.WasRecovering || s.Offset != 0 || len(s.Publications) != 7 {
		t.Fatalf("recovered %t, offset %d, %d publications", s.Recovered, s.Offset, len(s.Publications))
	}
	w.hub.Say(t, "project/p1/a", `"new"`)
	for n := uint64(8); n <= 21; n++ {
		if p := c.hear().Push; p.Channel != "project/p1/a" || p.Pub.Offset != n || (n == 21) != (string(p.Pub.Data) == `"new"`) {
			t.Fatalf("the publication after %d is %d", n-1, p.Pub.Offset)
		}
	}
}

// TestRecoveryThatIsOvertaken: a client is told if the history has dropped what it was
// still to be given, since it is to come back and load its state again.
func TestRecoveryThatIsOvertaken(t *testing.T) {
	w := startWith(t, DefaultConfig(), hub.Config{HistorySize: 10, HistoryTTL: time.Minute, HistoryBytes: 1 << 20, Channels: 1, MessageBytes: 1 << 20, QueueBytes: 1 << 20})
	for range 10 {
		w.hub.Say(t, "project/p1/a", `"`+strings.Repeat("x", 4<<10)+`"`)
	}
	c := w.connected(t, "ann@p1")
	c.room, c.fills, c.busy = 64<<10, true, true
	c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/a","recover":true,"epoch":%q,"offset":0}}`, w.hub.Epoch()))
	if s := c.hear().Subscribe; !s.Recovered || len(s.Publications) != 7 {
		t.Fatalf("recovered %t, %d publications", s.Recovered, len(s.Publications))
	}
	for range 10 {
		w.hub.Say(t, "project/p1/a", `"new"`)
	}
	if code := c.endsSoon(); code != 3010 {
		t.Errorf("ended with %d", code)
	}
}

func TestOffsetsFitJavaScript(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.connected(t, "ann@p1")
	c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"public/a","recover":true,"epoch":%q,"offset":%d}}`, w.hub.Epoch(), uint64(math.MaxUint64)))
	if m := c.hear(); m.Subscribe == nil || m.Subscribe.Recovered {
		t.Errorf("%+v", m)
	}
}

func TestSubscribePublishRecover(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.open(t)
	c.say(`{"id":1,"connect":{"token":"ann@p1","name":"js"}}`,
		`{"id":2,"subscribe":{"channel":"project/p1/instances","flag":1}}`, `{"id":3,"subscribe":{"channel":"project/p1/*"}}`)
	if m := c.hear(); m.ID != 1 || m.Connect == nil || m.Connect.Client == "" || m.Connect.Ping != 25 {
		t.Fatalf("connect: %+v", m)
	}
	first := c.hear()
	if first.ID != 2 || first.Subscribe == nil || !first.Subscribe.Recoverable || first.Subscribe.Epoch == "" {
		t.Fatalf("subscribe: %+v", first)
	}
	if m := c.hear(); m.ID != 3 || m.Subscribe == nil {
		t.Fatalf("subscribe to all: %+v", m)
	}
	w.hub.Say(t, "project/p1/instances", `{"id":"a"}`)
	w.hub.Say(t, "project/p2/instances", `{"id":"not mine"}`)
	w.hub.Say(t, "project/p1/volumes", `{"id":"b"}`)
	var exact, all []uint64
	for len(exact) < 1 || len(all) < 2 {
		m := c.hear()
		switch m.Push.Channel {
		case "project/p1/instances":
			exact = append(exact, m.Push.Pub.Offset)
		case "project/p1/*":
			all = append(all, m.Push.Pub.Offset)
			if want := map[string]string{`{"id":"a"}`: "project/p1/instances", `{"id":"b"}`: "project/p1/volumes"}; want[string(m.Push.Pub.Data)] != m.Push.Pub.Tags.Channel {
				t.Fatalf("publication: %+v", m.Push.Pub)
			}
		}
	}
	if exact[0] != all[0] || all[1] <= all[0] {
		t.Fatalf("offsets %v and %v", exact, all)
	}
	c.leave()

	w.hub.Say(t, "project/p1/instances", `{"id":"c"}`)
	d := w.connected(t, "ann@p1")
	d.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/instances","recover":true,"epoch":%q,"offset":%d}}`, first.Subscribe.Epoch, exact[0]))
	m := d.hear()
	if s := m.Subscribe; s == nil || !s.WasRecovering || !s.Recovered || s.Offset != exact[0] ||
		len(s.Publications) != 1 || string(s.Publications[0].Data) != `{"id":"c"}` {
		t.Fatalf("recover: %+v", m.Subscribe)
	}
}

// TestDeliveryThatFails ends the session: its client comes back and recovers.
func TestDeliveryThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want uint16
	}{
		"slow":   {fmt.Errorf("send: %w", ErrSlow), 3008},
		"broken": {net.ErrClosed, 3009},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, DefaultConfig())
			client := w.connected(t, "ann@p1")
			client.subscribe("project/p1/a")
			client.fail(c.err)
			w.hub.Say(t, "project/p1/a", `1`)
			if code := client.endsSoon(); code != c.want {
				t.Errorf("ended with %d", code)
			}
		})
	}
}

// TestUnsubscribeForgets: what waits of the channel is dropped before the answer.
func TestUnsubscribeForgets(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.connected(t, "ann@p1")
	c.subscribe("project/p1/*")
	c.say(`{"id":2,"unsubscribe":{"channel":"project/p1/*"}}`)
	if m := c.hear(); m.ID != 2 || m.Unsubscribe == nil {
		t.Fatalf("%+v", m)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if want := []string{"project/p1/*"}; !slices.Equal(c.forgotten, want) {
		t.Errorf("forgot %v", c.forgotten)
	}
}

// TestRejectUnrecovered: a client that asks for it gets error 112, and no
// subscription, if it cannot be given all that it has missed.
func TestRejectUnrecovered(t *testing.T) {
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = 2
	w := startWith(t, DefaultConfig(), hubConfig)
	for range 5 {
		w.hub.Say(t, "project/p1/a", `1`)
	}
	c := w.connected(t, "ann@p1")
	for _, step := range []struct {
		flag   int
		epoch  string
		offset int
		want   string
	}{
		{3, w.hub.Epoch(), 1, "112"}, {2, "other", 5, "112"}, {3, "", 0, "112"}, {3, "", 5, "112"},
		{1, w.hub.Epoch(), 1, "recovered false"}, {3, w.hub.Epoch(), 3, "recovered true"}, {0, "", 5, "recovered false"},
	} {
		c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/a","flag":%d,"recover":true,"epoch":%q,"offset":%d}}`, step.flag, step.epoch, step.offset))
		m := c.hear()
		got := ""
		if m.Error != nil {
			got = fmt.Sprint(m.Error.Code)
		} else {
			got = fmt.Sprint("recovered ", m.Subscribe.Recovered)
			c.say(`{"id":3,"unsubscribe":{"channel":"project/p1/a"}}`)
			c.hear()
		}
		if got != step.want {
			t.Errorf("%+v: %s", step, got)
		}
	}
	// Without a position to recover from there is nothing to reject.
	c.say(`{"id":4,"subscribe":{"channel":"project/p1/b","flag":3}}`)
	if m := c.hear(); m.Subscribe == nil {
		t.Errorf("%+v", m)
	}
	// An application that has no epoch asks for all, which is all there.
	w.hub.Say(t, "project/p1/c", `1`)
	c.say(`{"id":5,"subscribe":{"channel":"project/p1/c","flag":3,"recover":true}}`)
	if m := c.hear(); m.Subscribe == nil || !m.Subscribe.Recovered || len(m.Subscribe.Publications) != 1 {
		t.Errorf("%+v", m)
	}
	if n := len(c.session.subs); n != 2 {
		t.Errorf("there are %d subscriptions", n)
	}
}
