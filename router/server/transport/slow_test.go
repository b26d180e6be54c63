package transport

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// staller is a client over any transport that reads only when it is asked to.
type staller interface {
	Say(lines ...string)
	Hear() clienttest.Message
}

// TestLossyPolicies has a client read nothing until hundreds of publications
// were dropped or conflated, then read on: nothing else is missing, everything
// is in order, of each resource there is the latest, and every command is
// answered.
func TestLossyPolicies(t *testing.T) {
	for _, transport := range []string{"websocket", "http_stream"} {
		for _, policy := range []string{"drop-oldest", "conflate"} {
			t.Run(transport+" "+policy, func(t *testing.T) { lossy(t, transport, policy) })
		}
	}
}

func lossy(t *testing.T, transport, policy string) {
	cfg := testConfig()
	cfg.OutboxBytes = 128 << 10
	cfg.SlowChannels = []SlowChannel{{"project/*/rows", policy}}
	w := start(t, cfg)
	var c staller
	if transport == "websocket" {
		conn, err := net.Dial("tcp", w.address())
		if err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).SetReadBuffer(32 << 10)
		ws := clienttest.Dial(t, conn)
		ws.Connect("ann@p1")
		c = ws
	} else {
		c = w.stream(t, transport, "ann@p1")
	}
	c.Say(`{"id":2,"subscribe":{"channel":"project/p1/rows"}}`)
	if m := c.Hear(); m.Subscribe == nil {
		t.Fatalf("subscribe: %+v", m)
	}

	const resources = 20
	rows, _ := event.ParseChannel("project/p1/rows")
	latest := map[string]string{}
	published := 0
	say := func(key, data string) {
		published++
		latest[key] = data
		if err := w.hub.Publish(hub.Publication{Channel: rows, Key: []byte(key), Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	gone := func() int { return int(testutil.ToFloat64(w.slow.dropped) + testutil.ToFloat64(w.slow.conflated)) }
	pings := 0
	testwait.Until(t, "much is dropped", func() bool {
		for range resources {
			key := "r" + strconv.Itoa(published%resources)
			say(key, fmt.Sprintf(`{"n":%d,"pad":%q}`, published, strings.Repeat("x", 4<<10)))
		}
		if pings < 20 {
			pings++
			c.Say(fmt.Sprintf(`{"id":%d,"ping":{}}`, 100+pings))
		}
		if w.sessions.Len() == 0 {
			t.Fatal("the client was cut off")
		}
		return gone() > 500 && pings == 20
	})
	say("end", `"end"`)

	heard, skipped, answered, last := 0, 0, 0, uint64(0)
	got := map[string]string{}
	for got["end"] == "" || answered < pings {
		m := c.Hear()
		if m.Ping != nil {
			if answered++; m.ID != uint32(100+answered) {
				t.Fatalf("answer %d came as number %d", m.ID, answered)
			}
			continue
		}
		if m.Push == nil || m.Push.Pub == nil {
			t.Fatalf("heard %+v", m)
		}
		p := m.Push.Pub
		if p.Offset <= last {
			t.Fatalf("offset %d after %d", p.Offset, last)
		}
		last = p.Offset
		got[p.Key] = string(p.Data)
		heard++
		if p.Tags.Skipped != "" {
			n, err := strconv.Atoi(p.Tags.Skipped)
			if err != nil {
				t.Fatal(err)
			}
			skipped += n
		}
	}
	if n := int(testutil.ToFloat64(w.slow.dropped)); skipped != n {
		t.Errorf("the client was told of %d that were dropped, not %d", skipped, n)
	}
	if heard+gone() != published {
		t.Errorf("%d heard and %d left out of %d", heard, gone(), published)
	}
	if policy == "conflate" {
		for key, data := range latest {
			if got[key] != data {
				t.Errorf("the latest of %s is %.40s, not %.40s", key, got[key], data)
			}
		}
		if skipped > 0 {
			t.Errorf("%d dropped where conflating was enough", skipped)
		}
	} else if skipped == 0 {
		t.Error("none was dropped")
	}
}

// TestLossyUnsubscribe: nothing of a channel follows the answer to its
// unsubscribe command, however much waited.
func TestLossyUnsubscribe(t *testing.T) {
	cfg := testConfig()
	cfg.Slow, cfg.OutboxBytes = "drop-oldest", 128<<10
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	c.Conn.(*net.TCPConn).SetReadBuffer(32 << 10)
	c.Subscribe("project/p1/a")
	data := `"` + strings.Repeat("x", 16<<10) + `"`
	testwait.Until(t, "much is dropped", func() bool {
		w.hub.Say(t, "project/p1/a", data)
		return testutil.ToFloat64(w.slow.dropped) > 10
	})
	c.Say(`{"id":2,"unsubscribe":{"channel":"project/p1/a"}}`, `{"id":3,"subscribe":{"channel":"project/p1/a"}}`)
	for m := c.Hear(); m.ID != 2; m = c.Hear() {
		if m.Push == nil {
			t.Fatalf("heard %+v", m)
		}
	}
	if m := c.Hear(); m.ID != 3 || m.Subscribe == nil {
		t.Fatalf("after the unsubscription: %+v", m)
	}
	w.hub.Say(t, "project/p1/a", `"end"`)
	if m := c.Hear(); m.Push == nil || string(m.Push.Pub.Data) != `"end"` || m.Push.Pub.Tags.Skipped != "" {
		t.Fatalf("after subscribing again: %.200v", m.Push)
	}
}

// TestCutAndBack: a client that was cut off for being behind comes back, and is given
// all that it has not heard, more than may wait for it at once.
func TestCutAndBack(t *testing.T) {
	const count = 900
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = count
	w := startWith(t, testConfig(), hubConfig)
	conn, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).SetReadBuffer(32 << 10)
	c := clienttest.Dial(t, conn)
	c.Connect("ann@p1")
	c.Subscribe("project/p1/rows")
	data := `"` + strings.Repeat("x", 4<<10) + `"`
	for range count {
		w.hub.Say(t, "project/p1/rows", data)
	}
	last := uint64(0)
	hear := func(p *clienttest.Publication) {
		if p.Offset != last+1 {
			t.Fatalf("%d comes after %d", p.Offset, last)
		}
		last = p.Offset
	}
	for {
		line, err := c.Next()
		if err != nil {
			if closed := new(clienttest.Closed); !errors.As(err, &closed) || closed.Code != 3008 {
				t.Fatal(err)
			}
			break
		}
		hear(clienttest.Parse(t, line).Push.Pub)
	}
	d := w.connected(t, "ann@p1")
	d.Say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/rows","recover":true,"epoch":%q,"offset":%d}}`, w.hub.Epoch(), last))
	r := d.Hear().Subscribe
	if !r.Recovered || len(r.Publications) == 0 || last+uint64(len(r.Publications)) >= count {
		t.Fatalf("recovered %t: %d publications after %d", r.Recovered, len(r.Publications), last)
	}
	for i := range r.Publications {
		hear(&r.Publications[i])
	}
	w.hub.Say(t, "project/p1/rows", `"new"`)
	for last <= count {
		hear(d.Hear().Push.Pub)
	}
}
