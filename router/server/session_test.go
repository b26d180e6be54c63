package server

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
)

// connected gives a client that has connected.
func (w *world) connected(t testing.TB, token string) *client {
	t.Helper()
	c := dialTCP(t, w.address())
	c.say(`{"id":1,"connect":{"token":"` + token + `"}}`)
	if m := c.hear(); m.Connect == nil {
		t.Fatalf("connect: %+v", m)
	}
	return c
}

func (c *client) subscribe(channel string) *subscribed {
	c.t.Helper()
	c.say(`{"id":1000,"subscribe":{"channel":"` + channel + `"}}`)
	m := c.hear()
	if m.ID != 1000 || m.Subscribe == nil {
		c.t.Fatalf("subscribe to %s: %+v, error %+v", channel, m, m.Error)
	}
	return m.Subscribe
}

func TestAnswers(t *testing.T) {
	cfg := testConfig()
	cfg.MaxSubscriptions = 3
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	for _, step := range []struct{ say, want string }{
		{`{"id":2,"subscribe":{"channel":"project/p1/a"}}`, ``},
		{`{"id":3,"subscribe":{"channel":"project/p1/a"}}`, `{"id":3,"error":{"code":105,"message":"already subscribed"}}`},
		{`{"id":4,"subscribe":{"channel":"project/p2/a"}}`, `{"id":4,"error":{"code":103,"message":"permission denied"}}`},
		{`{"id":5,"subscribe":{"channel":"admin/*"}}`, `{"id":5,"error":{"code":103,"message":"permission denied"}}`},
		{`{"id":6,"subscribe":{"channel":"project/p1/A"}}`, `{"id":6,"error":{"code":102,"message":"unknown channel"}}`},
		{`{"id":7,"subscribe":{}}`, `{"id":7,"error":{"code":102,"message":"unknown channel"}}`},
		{`{"id":8,"subscribe":{"channel":"user/ann/*"}}`, ``},
		{`{"id":9,"subscribe":{"channel":"public/news"}}`, ``},
		{`{"id":10,"subscribe":{"channel":"project/p1/b"}}`, `{"id":10,"error":{"code":106,"message":"limit exceeded"}}`},
		{`{"id":11,"unsubscribe":{"channel":"project/p1/a"}}`, `{"id":11,"unsubscribe":{}}`},
		{`{"id":12,"unsubscribe":{"channel":"project/p1/a"}}`, `{"id":12,"unsubscribe":{}}`},
		{`{"id":13,"subscribe":{"channel":"project/p1/b","flag":1,"delta":"fossil","tf":{"a":[{}]},"data":7}}`, ``},
		{`{"id":14,"publish":{"channel":"project/p1/b","data":{}}}`, `{"id":14,"error":{"code":108,"message":"not available"}}`},
		{`{"id":15,"rpc":{"method":"x"}}`, `{"id":15,"error":{"code":108,"message":"not available"}}`},
		{`{"id":16,"presence":{"channel":"project/p1/b"}}`, `{"id":16,"error":{"code":108,"message":"not available"}}`},
		{`{"id":17,"presence_stats":{}}`, `{"id":17,"error":{"code":108,"message":"not available"}}`},
		{`{"id":18,"history":{"channel":"project/p1/b"}}`, `{"id":18,"error":{"code":108,"message":"not available"}}`},
		{`{"id":19,"ping":{}}`, `{"id":19,"ping":{}}`},
		{`{"id":20,"sub_refresh":{"channel":"project/p1/b","token":"t"}}`, `{"id":20,"sub_refresh":{}}`},
		{`{"id":21,"sub_refresh":{"channel":"project/p1/z","token":"t"}}`, `{"id":21,"error":{"code":107,"message":"bad request"}}`},
		{`{"id":22,"refresh":{"token":""}}`, `{"id":22,"error":{"code":107,"message":"bad request"}}`},
		{`{"id":23,"refresh":{"token":"ann@p1"}}`, `{"id":23,"refresh":{}}`},
		{`{"id":24}`, `{"id":24,"error":{"code":104,"message":"method not found"}}`},
		{`{"id":25,"dance":{}}`, `{"id":25,"error":{"code":104,"message":"method not found"}}`},
		{"{}\n{\"send\":{\"data\":1}}\n \r\n{\"id\":26,\"ping\":{}}", `{"id":26,"ping":{}}`},
	} {
		c.say(step.say)
		line, err := c.next()
		if err != nil {
			t.Fatalf("%s: %v", step.say, err)
		}
		if step.want == "" {
			step.want = strings.SplitAfterN(step.say, ",", 2)[0] + `"subscribe":{"recoverable":true,"positioned":true,"epoch":"` + epoch(w) + `","offset":0}}`
		}
		if string(line) != step.want {
			t.Errorf("%s\n gave %s\n  not %s", step.say, line, step.want)
		}
	}
}

func epoch(w *world) string { e, _ := w.hub.Position(); return e }

func TestEndings(t *testing.T) {
	w := start(t, testConfig())
	w.people.expired["old@p1"] = true
	for name, c := range map[string]struct {
		say  []string
		want uint16
	}{
		"not JSON":               {[]string{`hello`}, 3501},
		"not an object":          {[]string{`[1]`}, 3501},
		"wrong type":             {[]string{`{"id":"1","connect":{}}`}, 3501},
		"negative offset":        {[]string{`{"id":1,"connect":{"token":"ann"}}`, `{"id":2,"subscribe":{"offset":-1}}`}, 3501},
		"no id":                  {[]string{`{"connect":{"token":"ann"}}`}, 3501},
		"subscribe before":       {[]string{`{"id":1,"subscribe":{"channel":"public/a"}}`}, 3501},
		"pong before":            {[]string{`{}`}, 3501},
		"connect twice":          {[]string{`{"id":1,"connect":{"token":"ann"}}`, `{"id":2,"connect":{"token":"ann"}}`}, 3501},
		"connect after an error": {[]string{`{"id":1,"connect":{"token":"old@p1"}}`, `{"id":2,"connect":{"token":"ann"}}`}, 3501},
		"bad token":              {[]string{`{"id":1,"connect":{"token":"nobody"}}`}, 3500},
		"no token":               {[]string{`{"id":1,"connect":{}}`}, 3500},
		"another user":           {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"bob@p1"}}`}, 3500},
		"another project":        {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"ann@p2"}}`}, 3500},
		"bad new token":          {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"nobody"}}`}, 3500},
		"half a line":            {[]string{`{"id":1,"connect":{"token":"ann"}}` + "\n" + `{"id":2,`}, 3501},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dialTCP(t, w.address())
			for _, line := range c.say {
				conn.say(line)
			}
			if got := conn.ends(); got != c.want {
				t.Errorf("ended with %d, not %d", got, c.want)
			}
		})
	}
	eventually(t, "all sessions are gone", func() bool { return w.Sessions() == 0 })
	if len(w.limits.users)+len(w.limits.addresses) > 0 {
		t.Errorf("still counted: %v %v", w.limits.users, w.limits.addresses)
	}
}

func TestConnectErrorsLetTheClientGoOn(t *testing.T) {
	w := start(t, testConfig())
	w.people.expired["old@p1"] = true
	c := dialTCP(t, w.address())
	c.say(`{"id":1,"connect":{"token":"old@p1"}}`)
	if line, _ := c.next(); string(line) != `{"id":1,"error":{"code":109,"message":"token expired"}}` {
		t.Errorf("expired: %s", line)
	}
	w.people.mu.Lock()
	w.people.down = true
	w.people.mu.Unlock()
	d := dialTCP(t, w.address())
	d.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	if line, _ := d.next(); string(line) != `{"id":1,"error":{"code":100,"message":"internal server error","temporary":true}}` {
		t.Errorf("down: %s", line)
	}
}

// at pretends that time has passed for the sessions of a server.
func (w *world) at(d time.Duration) { w.wheel.advance(time.Now().Add(d)) }

func TestTimes(t *testing.T) {
	cfg := testConfig()
	cfg.Ping, cfg.PongTimeout, cfg.ConnectTimeout = 2*time.Minute, time.Minute, 3*time.Minute
	for name, c := range map[string]struct {
		token string
		after []time.Duration
		pong  bool
		want  uint16
	}{
		"never connects": {"", []time.Duration{3*time.Minute + time.Second}, false, 3502},
		"no pong":        {"ann@p1", []time.Duration{130 * time.Second, 200 * time.Second}, false, 3012},
		"expires":        {"ann@p1/30s", []time.Duration{31 * time.Second}, false, 3005},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, cfg)
			client := dialTCP(t, w.address())
			if c.token != "" {
				client.say(`{"id":1,"connect":{"token":"` + c.token + `"}}`)
				client.hear()
			}
			eventually(t, "the session is there", func() bool { return w.Sessions() == 1 })
			for _, d := range c.after {
				turnTo(w, d)
			}
			if got := client.ends(); got != c.want {
				t.Errorf("ended with %d, not %d", got, c.want)
			}
		})
	}
}

// turnTo advances the wheel in steps, so that it is turned as the clock would.
func turnTo(w *world, d time.Duration) {
	for s := time.Duration(0); s <= d; s += 10 * time.Second {
		w.at(s)
	}
	w.at(d)
}

func TestPongKeepsTheConnection(t *testing.T) {
	cfg := testConfig()
	cfg.Ping, cfg.PongTimeout = 2*time.Minute, time.Minute
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	now := time.Duration(0)
	for range 5 {
		now += 2*time.Minute + time.Second
		w.at(now - 30*time.Second)
		w.at(now)
		if line, err := c.next(); err != nil || string(line) != "{}" {
			t.Fatalf("ping: %q %v", line, err)
		}
		c.say(`{}`, `{"id":9,"ping":{}}`)
		if m := c.hear(); m.ID != 9 {
			t.Fatalf("%+v", m)
		}
	}
}

func TestRefreshProlongs(t *testing.T) {
	w := start(t, testConfig())
	c := dialTCP(t, w.address())
	c.say(`{"id":1,"connect":{"token":"ann@p1/100s"}}`)
	if m := c.hear(); !m.Connect.Expires || m.Connect.TTL < 70 || m.Connect.TTL > 75 {
		t.Fatalf("connect: %+v", m.Connect)
	}
	c.say(`{"id":2,"refresh":{"token":"ann@p1/1000s"}}`)
	if m := c.hear(); !m.Refresh.Expires || m.Refresh.TTL < 960 || m.Refresh.TTL > 970 {
		t.Fatalf("refresh: %+v", m.Refresh)
	}
	w.at(200 * time.Second) // past the first token
	c.say(`{}`, `{"id":3,"sub_refresh":{"channel":"x"}}`)
	for {
		if m := c.hear(); m.ID == 3 {
			break
		}
	}
	turnTo(w, 1001*time.Second)
	if code := c.ends(); code != 3005 && code != 3012 {
		t.Errorf("ended with %d", code)
	}
}

func TestNarrowedRefreshClosesChannels(t *testing.T) {
	w := start(t, testConfig())
	c := w.connected(t, "root@p1")
	c.subscribe("admin/hypervisors")
	c.subscribe("project/p1/a")
	w.all()[0].commands.Lock()
	w.all()[0].become(&auth.Identity{User: "root", Project: "p1"})
	w.all()[0].commands.Unlock()
	if m := c.hear(); m.Push.Channel != "admin/hypervisors" || m.Push.Unsubscribe.Code != 2000 {
		t.Fatalf("%+v", m.Push)
	}
	w.publish(t, "admin/hypervisors", `1`)
	w.publish(t, "project/p1/a", `2`)
	if m := c.hear(); string(m.Push.Pub.Data) != "2" {
		t.Fatalf("heard %s on %s", m.Push.Pub.Data, m.Push.Channel)
	}
}

func TestRevalidate(t *testing.T) {
	w := start(t, testConfig())
	ann, bob := w.connected(t, "ann@p1"), w.connected(t, "bob@p1")
	w.people.mu.Lock()
	w.people.expired["ann"], w.people.expired["bob"] = true, true
	w.people.mu.Unlock()
	w.Revalidate(func(id *auth.Identity) bool { return id.User == "ann" })
	if code := ann.ends(); code != 3500 {
		t.Errorf("ann ended with %d", code)
	}
	bob.say(`{"id":2,"ping":{}}`)
	if m := bob.hear(); m.ID != 2 {
		t.Errorf("bob: %+v", m)
	}
}

func TestTooManyCommands(t *testing.T) {
	cfg := testConfig()
	cfg.CommandsPerSecond, cfg.MaxSubscriptions = 10, 10
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	var frame strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&frame, "{\"id\":%d,\"ping\":{}}\n", i+2)
	}
	c.say(frame.String())
	answered := 0
	for {
		if _, err := c.next(); err != nil {
			if e, ok := err.(*closedError); !ok || e.code != 3013 {
				t.Errorf("ended with %v", err)
			}
			break
		}
		answered++
	}
	if answered < 20 || answered > 50 {
		t.Errorf("%d commands were answered", answered)
	}
}

func TestLimits(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnectionsPerUser, cfg.MaxConnectionsPerAddress, cfg.MaxConnections = 2, 3, 3
	w := start(t, cfg)
	w.connected(t, "ann@p1")
	second := w.connected(t, "ann@p1")
	third := dialTCP(t, w.address())
	third.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	if code := third.ends(); code != 3504 {
		t.Errorf("over the user's limit ended with %d", code)
	}
	eventually(t, "the third is gone", func() bool { return w.Sessions() == 2 })
	w.connected(t, "bob@p1")
	if status := handshakeStatus(t, w.address()); status != "429 Too Many Requests" {
		t.Errorf("over the address's limit: %s", status)
	}
	w.limits.perAddress = 0
	if status := handshakeStatus(t, w.address()); status != "503 Service Unavailable" {
		t.Errorf("over the total: %s", status)
	}
	second.conn.Close()
	eventually(t, "the second is gone", func() bool { return w.Sessions() == 2 })
	w.connected(t, "ann@p1")
}

func TestDrain(t *testing.T) {
	cfg := testConfig()
	cfg.Drain = 50 * time.Millisecond
	w := start(t, cfg)
	var clients []*client
	for range 10 {
		clients = append(clients, w.connected(t, "ann@p1"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	w.Drain(ctx)
	if ctx.Err() != nil || w.Sessions() != 0 {
		t.Errorf("%d sessions are left", w.Sessions())
	}
	for _, c := range clients {
		if code := c.ends(); code != 3001 {
			t.Errorf("ended with %d", code)
		}
	}
	if status := handshakeStatus(t, w.address()); status != "503 Service Unavailable" {
		t.Errorf("while draining: %s", status)
	}
	w.Drain(ctx)
}

// TestRecoveryThatDoesNotFit must not end in a client that comes back for ever.
func TestRecoveryThatDoesNotFit(t *testing.T) {
	cfg := testConfig()
	cfg.OutboxBytes = 64 << 10
	w := startWith(t, cfg, hub.DefaultConfig())
	for range 20 {
		w.publish(t, "project/p1/a", `"`+strings.Repeat("x", 4<<10)+`"`)
	}
	c := w.connected(t, "ann@p1")
	c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/a","recover":true,"epoch":%q,"offset":0}}`, epoch(w)))
	if m := c.hear(); m.Subscribe.Recovered || !m.Subscribe.WasRecovering || m.Subscribe.Offset != 20 {
		t.Errorf("%+v", m.Subscribe)
	}
}

func TestOffsetsFitJavaScript(t *testing.T) {
	w := start(t, testConfig())
	c := w.connected(t, "ann@p1")
	c.say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"public/a","recover":true,"epoch":%q,"offset":%d}}`, epoch(w), uint64(math.MaxUint64)))
	if m := c.hear(); m.Subscribe == nil || m.Subscribe.Recovered {
		t.Errorf("%+v", m)
	}
}

func TestArrivals(t *testing.T) {
	began := time.Now()
	s := &Server{cfg: Config{ConnectsPerSecond: 3}, arriving: allowance{left: 3 * arrivals, at: began}}
	let := func(after time.Duration, tries int) (n int) {
		for range tries {
			if s.arrive(began.Add(after)) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		after       time.Duration
		tries, want int
	}{
		{0, 100, 3 * arrivals},
		{time.Second, 100, 3},
		{1500 * time.Millisecond, 100, 1},
		{2 * time.Second, 100, 2},
		{time.Hour, 1000, 3 * arrivals},
	} {
		if n := let(step.after, step.tries); n != step.want {
			t.Errorf("after %s %d of %d are let in, not %d", step.after, n, step.tries, step.want)
		}
	}
	s.cfg.ConnectsPerSecond = 0
	if n := let(time.Hour, 100); n != 100 {
		t.Errorf("without a limit %d of 100 are let in", n)
	}
}

// TestHerd: some of a herd of clients are told to try again, nothing else, and
// all are let in as they do.
func TestHerd(t *testing.T) {
	cfg := testConfig()
	cfg.ConnectsPerSecond = 1
	w := start(t, cfg)
	connect := func() bool {
		c := dialTCP(t, w.address())
		defer c.conn.Close()
		c.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
		line, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if string(line) == `{"id":1,"error":{"code":111,"message":"too many requests","temporary":true}}` {
			return false
		}
		if m := parseMessage(t, line); m.Connect == nil {
			t.Fatalf("%s", line)
		}
		return true
	}
	refused := 0
	for range 2 * arrivals {
		if !connect() {
			refused++
		}
	}
	if refused == 0 || refused > arrivals {
		t.Errorf("%d of %d were refused", refused, 2*arrivals)
	}
	eventually(t, "there is room again", func() bool {
		if connect() {
			return true
		}
		refused++
		return false
	})
	if n := testutil.ToFloat64(w.refusals.WithLabelValues("rate")); int(n) != refused {
		t.Errorf("%v are counted, not %d", n, refused)
	}
}
