package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// people is an Authenticator whose tokens are made up: `user` or
// `user@project`, with `/` and a time in milliseconds until it expires.
type people struct {
	mu      sync.Mutex
	expired map[string]bool
	down    bool
}

func (p *people) Authenticate(_ context.Context, _ *http.Request, token string) (*auth.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, life, _ := strings.Cut(token, "/")
	user, project, _ := strings.Cut(who, "@")
	switch {
	case p.down:
		return nil, fmt.Errorf("ask: %w", auth.ErrUnavailable)
	case p.expired[token]:
		return nil, fmt.Errorf("token: %w", auth.ErrExpired)
	case user == "" || user == "nobody":
		return nil, fmt.Errorf("token: %w", auth.ErrUnauthorized)
	}
	id := &auth.Identity{User: user, Project: project, Admin: user == "root"}
	if life != "" {
		d, err := time.ParseDuration(life)
		if err != nil {
			return nil, err
		}
		id.Expires = time.Now().Add(d)
	}
	return id, nil
}

func (p *people) Revalidate(_ context.Context, id *auth.Identity) (*auth.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expired[id.User] {
		return nil, auth.ErrUnauthorized
	}
	return id, nil
}

// world is a server with a hub, both running.
type world struct {
	*Server
	hub      *hub.Hub
	people   *people
	registry *prometheus.Registry
}

// subscriptions is how many the hub has.
func (w *world) subscriptions(t testing.TB) int {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "horizon_realtime_hub_subscriptions" {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatal("no such metric")
	return 0
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	return cfg
}

func start(t testing.TB, cfg Config) *world { return startWith(t, cfg, hub.DefaultConfig()) }

func startWith(t testing.TB, cfg Config, hubConfig hub.Config) *world {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	reg := prometheus.NewRegistry()
	w := &world{hub: hub.New(hubConfig, log, reg), people: &people{expired: map[string]bool{}}, registry: reg}
	var err error
	if w.Server, err = New(cfg, w.hub, w.people, Options{Log: log, Registerer: reg}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	hubCtx, cancelHub := context.WithCancel(context.Background())
	var server, below sync.WaitGroup
	server.Go(func() {
		if err := w.Server.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	below.Go(func() {
		if err := w.hub.Run(hubCtx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		server.Wait()
		cancelHub()
		below.Wait()
	})
	return w
}

func (w *world) address() string { return w.Addr().String() }

func (w *world) publish(t testing.TB, channel, data string) {
	t.Helper()
	ch, err := event.ParseChannel(channel)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.hub.Publish(hub.Publication{Channel: ch, Data: []byte(data), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for until := time.Now().Add(deadline); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not within %s", what, deadline)
		}
	}
}

func TestConnectSubscribePublishRecover(t *testing.T) {
	w := start(t, testConfig())
	c := dialTCP(t, w.address(), maskedFrame(0x81, []byte(`{"id":1,"connect":{"token":"ann@p1","name":"js"}}
{"id":2,"subscribe":{"channel":"project/p1/instances","flag":1}}
{"id":3,"subscribe":{"channel":"project/p1/*"}}`)))
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
	w.publish(t, "project/p1/instances", `{"id":"a"}`)
	w.publish(t, "project/p2/instances", `{"id":"not mine"}`)
	w.publish(t, "project/p1/volumes", `{"id":"b"}`)
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
	c.conn.Close()

	w.publish(t, "project/p1/instances", `{"id":"c"}`)
	d := dialTCP(t, w.address())
	d.say(`{"id":1,"connect":{"token":"ann@p1"}}`,
		fmt.Sprintf(`{"id":2,"subscribe":{"channel":"project/p1/instances","recover":true,"epoch":%q,"offset":%d}}`, first.Subscribe.Epoch, exact[0]))
	d.hear()
	m := d.hear()
	if s := m.Subscribe; s == nil || !s.WasRecovering || !s.Recovered || s.Offset != exact[0] ||
		len(s.Publications) != 1 || string(s.Publications[0].Data) != `{"id":"c"}` {
		t.Fatalf("recover: %+v", m.Subscribe)
	}
}
