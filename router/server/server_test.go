package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/testwait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server with a hub, both running.
type world struct {
	*Server
	hub *clienttest.Hub
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	return cfg
}

func start(t testing.TB, cfg Config) *world {
	t.Helper()
	return startWith(t, cfg, func(_ *world, o Options) (session.Authenticator, Options) { return new(clienttest.People), o })
}

// startWith is start with the authenticator and the options that more gives.
func startWith(t testing.TB, cfg Config, more func(*world, Options) (session.Authenticator, Options)) *world {
	t.Helper()
	w := makeWorld(t, cfg, more)
	w.run(t)
	return w
}

func makeWorld(t testing.TB, cfg Config, more func(*world, Options) (session.Authenticator, Options)) *world {
	t.Helper()
	return makeWorldOn(t, cfg, hub.DefaultConfig(), more)
}

func makeWorldOn(t testing.TB, cfg Config, hubConfig hub.Config, more func(*world, Options) (session.Authenticator, Options)) *world {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	w := &world{hub: clienttest.StartHub(t, hubConfig)}
	authenticator, options := more(w, Options{Log: w.hub.Log, Registerer: w.hub.Registry})
	var err error
	if w.Server, err = New(cfg, w.hub.Hub, authenticator, options); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) run(t testing.TB) { clienttest.Run(t, "server", w.Server.Run) }

func (w *world) address() string { return w.Addr().String() }

func (w *world) connected(t testing.TB, token string) *clienttest.Websocket {
	t.Helper()
	return clienttest.Connect(t, w.address(), token)
}

// nobodyIsLeft waits until there is neither a session nor a socket.
func (w *world) nobodyIsLeft(t testing.TB) {
	t.Helper()
	open := &w.listener.(*listener).open
	testwait.Until(t, "all sessions and sockets are gone", func() bool { return w.Sessions() == 0 && open.Load() == 0 })
}

// TestConnectSubscribePublishRecover sends connect and the first subscribes right
// behind the handshake, as official clients do, and comes back over a stream.
func TestConnectSubscribePublishRecover(t *testing.T) {
	w := start(t, testConfig())
	c := clienttest.DialTCP(t, w.address(), clienttest.MaskedFrame(0x81, []byte(`{"id":1,"connect":{"token":"ann@p1","name":"js"}}
{"id":2,"subscribe":{"channel":"project/p1/instances","flag":1}}`)))
	if m := c.Hear(); m.ID != 1 || m.Connect == nil || m.Connect.Client == "" || m.Connect.Ping != 25 {
		t.Fatalf("connect: %+v", m)
	}
	first := c.Hear()
	if first.ID != 2 || first.Subscribe == nil || !first.Subscribe.Recoverable || first.Subscribe.Epoch == "" {
		t.Fatalf("subscribe: %+v", first)
	}
	w.hub.Say(t, "project/p2/instances", `{"id":"not mine"}`)
	w.hub.Say(t, "project/p1/instances", `{"id":"a"}`)
	m := c.Hear()
	if m.Push == nil || string(m.Push.Pub.Data) != `{"id":"a"}` {
		t.Fatalf("heard %+v", m)
	}
	c.Conn.Close()

	w.hub.Say(t, "project/p1/instances", `{"id":"c"}`)
	own := &http.Transport{DisableKeepAlives: true}
	d := clienttest.OpenStream(t, &http.Client{Transport: own}, "http://"+w.address(), "http_stream", "ann@p1")
	d.Say(fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/instances","recover":true,"epoch":%q,"offset":%d}}`, first.Subscribe.Epoch, m.Push.Pub.Offset))
	if s := d.Hear().Subscribe; s == nil || !s.WasRecovering || !s.Recovered || s.Offset != m.Push.Pub.Offset ||
		len(s.Publications) != 1 || string(s.Publications[0].Data) != `{"id":"c"}` {
		t.Fatalf("recover: %+v", s)
	}
}

// TestLimits: what HTTP says to a client that there is no place for.
func TestLimits(t *testing.T) {
	handshake := clienttest.Handshake + "\r\n"
	for want, change := range map[string]func(*Config){
		"429 Too Many Requests":   func(c *Config) { c.MaxConnectionsPerAddress = 2 },
		"503 Service Unavailable": func(c *Config) { c.MaxConnections = 2 },
	} {
		t.Run(want, func(t *testing.T) {
			cfg := testConfig()
			change(&cfg)
			w := start(t, cfg)
			w.connected(t, "ann@p1")
			second := w.connected(t, "ann@p1")
			if status := clienttest.Status(t, w.address(), handshake); status != want {
				t.Errorf("the third is told %s", status)
			}
			second.Conn.Close()
			testwait.Until(t, "the second is gone", func() bool { return w.Sessions() == 1 })
			w.connected(t, "ann@p1")
		})
	}
}

// TestClientsBehindAProxy: clients of a trusted proxy are counted by the addresses
// that it names, and by the /64 of IPv6.
func TestClientsBehindAProxy(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConnectionsPerAddress = 1
	cfg.TrustedProxies = []string{"127.0.0.1"}
	w := start(t, cfg)
	for _, c := range []struct{ from, want string }{
		{"192.0.2.1", "101 Switching Protocols"},
		{"192.0.2.2", "101 Switching Protocols"},
		{"192.0.2.1", "429 Too Many Requests"},
		{"2001:db8::1", "101 Switching Protocols"},
		{"2001:db8::2", "429 Too Many Requests"},
		{"2001:db8:1::2", "101 Switching Protocols"},
	} {
		client, answer := clienttest.Open(t, w.address(), "X-Forwarded-For: "+c.from+"\r\n")
		if answer.Status != c.want {
			t.Errorf("%s is told %s, want %s", c.from, answer.Status, c.want)
		} else if answer.StatusCode == http.StatusSwitchingProtocols {
			client.Connect("ann@p1")
		}
	}
}

// TestDrain: clients are told to come back one after another, over [server] drain.
func TestDrain(t *testing.T) {
	cfg := testConfig()
	cfg.Drain = 500 * time.Millisecond
	w := start(t, cfg)
	var clients []*clienttest.Websocket
	for range 10 {
		clients = append(clients, w.connected(t, "ann@p1"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), testwait.Limit)
	defer cancel()
	began := time.Now()
	w.Drain(ctx)
	if took := time.Since(began); took < cfg.Drain*9/10 {
		t.Errorf("all were told within %s", took)
	}
	if ctx.Err() != nil || w.Sessions() != 0 {
		t.Errorf("%d sessions are left", w.Sessions())
	}
	for _, c := range clients {
		if code := c.Ends(); code != 3001 {
			t.Errorf("ended with %d", code)
		}
	}
	if status := clienttest.Status(t, w.address(), clienttest.Handshake+"\r\n"); !strings.HasPrefix(status, "503 ") {
		t.Errorf("while draining: %s", status)
	}
	w.Drain(ctx)
}
