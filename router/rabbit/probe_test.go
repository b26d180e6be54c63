package rabbit_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// TestProbe looks at a broker that has one of two exchanges, while a service
// publishes, and leaves nothing behind.
func TestProbe(t *testing.T) {
	cfg := testConfig(t)
	nova := cfg.Exchanges[0]
	cfg.Exchanges = append(cfg.Exchanges, nova+"-later")
	b := dial(t, node.URL())
	b.exchange(nova, false)
	before := queues(t)

	var bodies list
	ctx, stop := context.WithCancel(t.Context())
	published := make(chan struct{})
	go func() {
		defer close(published)
		for tick := time.NewTicker(5 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			if err := b.tryPublish(nova, "versioned_notifications.info", "x"); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	got, err := rabbit.Probe(ctx, cfg, time.Second, func(body []byte, _ string) { bodies.add(string(body)) })
	stop()
	<-published
	if err != nil {
		t.Fatal(err)
	}
	if bodies.len() == 0 || bodies.get()[0] != "x" || len(got) != 1 || got[0].Heard[nova+" versioned_notifications"] == 0 {
		t.Fatalf("heard nothing of what was published: %+v", got)
	}
	want := rabbit.Report{Broker: node.Addr() + "/", Host: node.Addr(), Bound: cfg.Exchanges[:1], Missing: cfg.Exchanges[1:], Heard: got[0].Heard}
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Error(d)
	}
	testwait.Until(t, "the probe's queue is gone", func() bool { return queues(t) == before })
}

// TestProbeProblems names what is wrong, and the way out.
func TestProbeProblems(t *testing.T) {
	cfg := testConfig(t)
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	ctl(t, "add_user", "probe", "secret1")
	t.Cleanup(func() { ctl(t, "delete_user", "probe") })
	p := cfg.Permissions()
	for _, c := range []struct {
		name, url, read, want string
	}{
		{"nobody listens", "amqp://guest:guest@127.0.0.1:1/", "", "connect: "},
		{"a wrong password", node.URLFor("probe", "secret2"), "", "as user probe: "},
		{"no permission to read", node.URLFor("probe", "secret1"), "^$", "rabbitmqctl set_permissions USER '" + p.Configure},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctl(t, "set_permissions", "probe", p.Configure, p.Write, c.read)
			cfg.URLs = []string{c.url}
			got, err := rabbit.Probe(t.Context(), cfg, time.Millisecond, func([]byte, string) {})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || len(got[0].Problems) == 0 || !strings.Contains(got[0].Problems[0].Error(), c.want) {
				t.Fatalf("%+v, want a problem with %q", got, c.want)
			}
			if text := got[0].Problems[0].Error(); strings.Contains(text, "secret") {
				t.Errorf("the password is in %q", text)
			}
		})
	}
}

// TestProbeSeesRejectPublish: a policy that would have our full queue fail the
// services' publishes.
func TestProbeSeesRejectPublish(t *testing.T) {
	cfg := testConfig(t)
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	before := queues(t)
	problems := func() []error {
		t.Helper()
		got, err := rabbit.Probe(t.Context(), cfg, time.Millisecond, func([]byte, string) {})
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Problems
	}
	if p := problems(); len(p) != 0 {
		t.Fatalf("without a policy: %v", p)
	}
	ctl(t, "set_policy", "full", ".*", `{"overflow":"reject-publish"}`, "--apply-to", "queues")
	t.Cleanup(func() { ctl(t, "clear_policy", "full") })
	if p := problems(); len(p) != 1 || !strings.Contains(p[0].Error(), `overflow: reject-publish), so services would fail; find it with rabbitmqctl list_policies, and exclude ^horizon-realtime\.`) {
		t.Fatalf("%v", p)
	}
	testwait.Until(t, "the probe's queues are gone", func() bool { return queues(t) == before })
}

// queues are all that RabbitMQ has.
func queues(t testing.TB) string {
	t.Helper()
	out, err := node.Ctl("list_queues", "--quiet", "--no-table-headers", "name")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
