package router

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/event"
	"horizon-realtime/router/fair"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
	"horizon-realtime/sdk/abi"
)

// testbed is a pipeline with the real plugin host and a running hub. Its plugin
// emits what a notification tells it to. Workers start when finish is called.
type testbed struct {
	*pipeline
	t       testing.TB
	reg     *prometheus.Registry
	stopHub func()

	mu      sync.Mutex
	settled []string            // what became of each delivery
	heard   map[string][]string // messages by channel
	revoked []string            // the types of the notifications that revoke was called with
}

func newTestbed(t testing.TB, configure func(*Config)) *testbed {
	t.Helper()
	text, err := os.ReadFile("testdata/say.wat")
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Plugins.Dir, cfg.Plugins.CacheDir, cfg.Plugins.Workers = t.TempDir(), "none", 4
	cfg.Hub.Shards, cfg.Admin.Taps = 4, 1
	cfg.Plugin = map[string]plugin.Settings{"say": {Topics: []string{"x"}}}
	if configure != nil {
		configure(&cfg)
	}
	if err := os.WriteFile(filepath.Join(cfg.Plugins.Dir, "50-say.wasm"), guesttest.Assemble(t, string(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	host, err := plugin.New(cfg.Plugins, cfg.Plugin, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(host.Close)
	if err := host.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &testbed{t: t, reg: reg, heard: map[string][]string{}}
	b.pipeline = newPipeline(cfg, stages{
		host: host, hub: hub.New(cfg.Hub, log, reg), tap: admin.NewTap(cfg.Admin, reg),
		revoke: func(n *event.Notification) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.revoked = append(b.revoked, strings.Clone(n.Type))
		},
	}, log, reg)
	ctx, cancel := context.WithCancel(context.Background())
	var shards sync.WaitGroup
	shards.Go(func() {
		if err := b.hub.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	b.stopHub = func() { cancel(); shards.Wait() }
	t.Cleanup(b.stopHub)
	return b
}

// finish has the workers work off what was submitted, and the hub deliver it.
func (b *testbed) finish() {
	b.stop()
	b.run(context.Background())
	b.stopHub()
}

// listen has heard filled with what is published to a channel.
func (b *testbed) listen(channels ...string) {
	b.t.Helper()
	for _, name := range channels {
		ch, err := event.ParsePattern(name)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := b.hub.Subscribe(&hub.Subscription{Channel: ch, To: listener{b, name}}, 1); err != nil {
			b.t.Fatal(err)
		}
	}
}

// listener is a subscriber of one channel.
type listener struct {
	b       *testbed
	channel string
}

func (l listener) Deliver(batch *wire.Batch) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	for i := range batch.Len() {
		var push struct{ Push struct{ Pub json.RawMessage } }
		if err := json.Unmarshal(batch.Message(i).Line, &push); err != nil {
			l.b.t.Error(err)
		}
		l.b.heard[l.channel] = append(l.b.heard[l.channel], string(push.Push.Pub))
	}
}

func (listener) Subscribed(*hub.Subscription, uint32, *wire.Recovery) {}
func (listener) Unsubscribed(*hub.Subscription, uint32)               {}
func (listener) Room() (int, bool)                                    { return 1 << 20, true }
func (listener) Lost()                                                {}

// delivery notes what becomes of it, and how much has been published by then.
type delivery struct{ b *testbed }

func (d delivery) settle(how string) {
	d.b.mu.Lock()
	defer d.b.mu.Unlock()
	d.b.settled = append(d.b.settled, how)
}

func (d delivery) Ack() {
	d.settle(fmt.Sprintf("acknowledged after %v publications", d.b.metric("hub_publications_total")))
}

func (d delivery) Reject(reason string) { d.settle("rejected: " + reason) }

// metric is the sum over the labels, or with a label the value for that one.
func (b *testbed) metric(name string, label ...string) (sum float64) {
	families, err := b.reg.Gather()
	if err != nil {
		b.t.Error(err)
	}
	for _, f := range families {
		if f.GetName() != "horizon_realtime_"+name {
			continue
		}
		for _, m := range f.Metric {
			if len(label) == 0 || m.Label[0].GetValue() == label[0] {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// counted is the outcomes that have been counted.
func (b *testbed) counted() string {
	var counted []string
	for _, outcome := range []string{"routed", "silent", "unmatched", "denied", "faulted", "late", "duplicate", "malformed"} {
		if n := b.metric("notifications_total", outcome); n > 0 {
			counted = append(counted, fmt.Sprintf("%s %v", outcome, n))
		}
	}
	return strings.Join(counted, ", ")
}

// notification is a body whose payload tells the plugin to answer with a block.
func notification(id, eventType, project string, block []byte) []byte {
	body, err := json.Marshal(map[string]any{
		"event_type": eventType, "message_id": id, "timestamp": "2026-11-23 10:00:00.123000",
		"publisher_id": "compute.host1", "priority": "INFO", "_context_project_id": "actor",
		"payload": map[string]any{"tenant_id": project, "instance_id": "server-" + id, "say": string(block)},
	})
	if err != nil {
		panic(err)
	}
	return body
}

// emission is a record of a result block. The payload is filled up until the bytes
// of each length are ASCII, as a JSON string must be UTF-8.
func emission(channel, key, payload string) []byte {
	for {
		b := guesttest.Emit(channel, key, payload)
		if !bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return b
		}
		payload += " "
	}
}

// TestBulkForSeveralProjects has an admin create ports of two projects at once: each hears
// of its own, once, and the delivery is settled when both have.
func TestBulkForSeveralProjects(t *testing.T) {
	b := newTestbed(t, nil)
	channels := []string{"project/alpha/x", "project/beta/x"}
	b.listen(channels...)
	say, err := json.Marshal(string(emission(channels[0], "a", `{"n":1}`)) + string(emission(channels[1], "b", `{"n":2}`)))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"event_type": "port.create.end", "message_id": "1", "payload": {"say": %s,
		"ports": [{"id": "a", "project_id": "alpha"}, {"id": "b", "project_id": "beta"}]}}`, say)
	b.submit(body, "", delivery{b})
	b.submit(body, "", delivery{b})
	if len(b.settled) > 0 {
		t.Fatal("settled before a worker has run")
	}
	b.finish()
	for _, ch := range channels {
		if len(b.heard[ch]) != 1 {
			t.Errorf("%s hears %q", ch, b.heard[ch])
		}
	}
	if len(b.settled) != 2 || b.counted() != "routed 2, duplicate 2" {
		t.Errorf("settled: %q, counted: %s", b.settled, b.counted())
	}
}

func TestSharedDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		reject int
		want   string
	}{
		"acknowledged":     {0, "acknowledged after 0 publications"},
		"one put aside":    {1, "rejected: why"},
		"several of three": {2, "rejected: why"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &testbed{t: t, reg: prometheus.NewRegistry()}
			d := newSharedDelivery(delivery{b}, 3)
			for part := range 3 {
				if len(b.settled) > 0 {
					t.Fatalf("settled after %d parts", part)
				}
				if part < c.reject {
					d.Reject("why")
				} else {
					d.Ack()
				}
			}
			if len(b.settled) != 1 || b.settled[0] != c.want {
				t.Errorf("settled: %q", b.settled)
			}
		})
	}
}

// TestOutcomes takes notifications of every kind to their end, one at a time.
func TestOutcomes(t *testing.T) {
	own := emission("project/alpha/x", "k", `{"n":1}`)
	foreign := emission("project/beta/x", "k", `{"n":2}`)
	admins := emission("admin/x", "k", `{"n":3}`)
	granted := func(cfg *Config) {
		cfg.Plugin = map[string]plugin.Settings{"say": {Grants: []string{"admin"}, Topics: []string{"x"}}}
	}
	for name, c := range map[string]struct {
		configure func(*Config)
		body      []byte
		settled   string
		counted   string
		refused   float64
		heard     []string // channels
	}{
		"published": {
			body:    notification("1", "compute.instance.update", "alpha", own),
			settled: "acknowledged after 1 publications", counted: "routed 1", heard: []string{"project/alpha/x"}},
		"published thrice": {
			body:    notification("1", "compute.instance.update", "alpha", slices.Concat(own, own, own)),
			settled: "acknowledged after 3 publications", counted: "routed 1",
			heard: []string{"project/alpha/x", "project/alpha/x", "project/alpha/x"}},
		"for another project": {
			body:    notification("1", "compute.instance.update", "alpha", foreign),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"by an actor who is not the owner": {
			body:    notification("1", "compute.instance.update", "", emission("project/actor/x", "", `{}`)),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"partly for another project": {
			body:    notification("1", "compute.instance.update", "alpha", slices.Concat(foreign, own, foreign)),
			settled: "acknowledged after 1 publications", counted: "routed 1", refused: 2, heard: []string{"project/alpha/x"}},
		"for admins": {
			body:    notification("1", "compute.instance.update", "alpha", admins),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"to another plugin's topic": {configure: granted,
			body:    notification("1", "compute.instance.update", "alpha", emission("project/alpha/y", "k", `{}`)),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"for admins, granted": {configure: granted,
			body:    notification("1", "compute.instance.update", "alpha", admins),
			settled: "acknowledged after 1 publications", counted: "routed 1", heard: []string{"admin/x"}},
		"for no channel": {
			body:    notification("1", "compute.instance.update", "alpha", emission("project/alpha/*", "", `{}`)),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"too large for the hub": {configure: func(cfg *Config) { cfg.Hub.MessageBytes = 1 << 10 },
			body:    notification("1", "compute.instance.update", "alpha", emission("project/alpha/x", "", `"`+strings.Repeat("x", 2000)+`"`)),
			settled: "acknowledged after 0 publications", counted: "denied 1", refused: 1},
		"nothing to say": {
			body:    notification("1", "compute.instance.update", "alpha", nil),
			settled: "acknowledged after 0 publications", counted: "silent 1"},
		"nobody's": {
			body:    notification("1", "volume.update", "alpha", own),
			settled: "acknowledged after 0 publications", counted: "unmatched 1"},
		"a fault": {
			body:    notification("1", "compute.instance.update", "alpha", []byte("no block")),
			settled: "acknowledged after 0 publications", counted: "faulted 1"},
		"malformed": {
			body:    []byte(`{"event_type":`),
			settled: "rejected: not_json: ", counted: "malformed 1"},
		"too large": {configure: func(cfg *Config) { cfg.Router.MaxBodyBytes = 100 },
			body:    notification("1", "compute.instance.update", "alpha", own),
			settled: "rejected: too_large: ", counted: "malformed 1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t, c.configure)
			channels := []string{"project/alpha/x", "project/beta/x", "project/actor/x", "admin/x"}
			b.listen(channels...)
			b.submit(c.body, "", delivery{b})
			b.finish()
			if len(b.settled) != 1 || !strings.HasPrefix(b.settled[0], c.settled) {
				t.Errorf("settled: %q, not %q", b.settled, c.settled)
			}
			if got := b.counted(); got != c.counted {
				t.Errorf("counted: %s, not %s", got, c.counted)
			}
			if got := b.metric("emissions_refused_total"); got != c.refused {
				t.Errorf("%v emissions refused, not %v", got, c.refused)
			}
			var heard []string
			for _, ch := range channels {
				heard = append(heard, slices.Repeat([]string{ch}, len(b.heard[ch]))...)
			}
			if diff := cmp.Diff(c.heard, heard); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOutcomesAreEachNotifications: nothing of one is counted for the next.
func TestOutcomesAreEachNotifications(t *testing.T) {
	b := newTestbed(t, nil)
	own, foreign := emission("project/alpha/x", "", `{}`), emission("project/beta/x", "", `{}`)
	for i, block := range [][]byte{own, foreign, nil, slices.Concat(foreign, own), nil, foreign} {
		b.submit(notification(fmt.Sprint(i), "compute.instance.update", "alpha", block), "", delivery{b})
	}
	b.finish()
	if got := b.counted(); got != "routed 2, silent 2, denied 2" {
		t.Errorf("counted: %s", got)
	}
}

// TestPublicationIsWhatWasEmitted: nothing of an emission is lost or mixed up.
func TestPublicationIsWhatWasEmitted(t *testing.T) {
	b := newTestbed(t, nil)
	b.listen("project/alpha/x")
	gone := emission("project/alpha/x", "the key", `{"the":"data"}`)
	gone[abi.RecordHeader+4] = abi.EmitRemoved
	b.submit(notification("1", "compute.instance.update", "alpha", gone), "", delivery{b})
	b.finish()
	var got struct {
		Data    map[string]string
		Key     string
		Removed bool
		Time    int64
		Offset  uint64
	}
	if len(b.heard["project/alpha/x"]) != 1 {
		t.Fatalf("heard %q", b.heard)
	}
	if err := json.Unmarshal([]byte(b.heard["project/alpha/x"][0]), &got); err != nil {
		t.Fatal(err)
	}
	const at = 1795428000123 // of the notification, in ms
	if got.Data["the"] != "data" || got.Key != "the key" || !got.Removed || got.Time != at || got.Offset == 0 {
		t.Errorf("%+v", got)
	}
}

// TestDuplicates: what RabbitMQ delivers again, or a service sends twice, is
// published once, and acknowledged each time. Without an id nothing is a duplicate.
func TestDuplicates(t *testing.T) {
	b := newTestbed(t, nil)
	b.listen("project/alpha/x")
	block := emission("project/alpha/x", "k", `{}`)
	for _, id := range []string{"1", "2", "1", "", ""} {
		b.submit(notification(id, "compute.instance.update", "alpha", block), "", delivery{b})
	}
	b.finish()
	if got := b.counted(); got != "routed 4, duplicate 1" || len(b.heard["project/alpha/x"]) != 4 || len(b.settled) != 5 {
		t.Errorf("counted: %s; heard %d, settled %q", got, len(b.heard["project/alpha/x"]), b.settled)
	}
}

// TestProjectsKeepTheirOrder: all that a project's notifications pass is one
// worker and one shard, whatever others do.
func TestProjectsKeepTheirOrder(t *testing.T) {
	b := newTestbed(t, nil)
	const projects, each = 16, 30
	channel := func(p int) string { return fmt.Sprintf("project/p%d/x", p) }
	for p := range projects {
		b.listen(channel(p))
	}
	for n := range each {
		for p := range projects {
			b.submit(notification(fmt.Sprintf("%d-%d", p, n), "compute.instance.update", fmt.Sprintf("p%d", p),
				emission(channel(p), "", fmt.Sprintf(`{"n":%d}`, n))), "", delivery{b})
		}
	}
	busy := 0
	for _, w := range b.workers {
		if w.queue.Waiting()%each != 0 {
			t.Errorf("%d notifications wait for a worker, which are not whole projects of %d", w.queue.Waiting(), each)
		}
		if w.queue.Waiting() > 0 {
			busy++
		}
	}
	if busy < 2 {
		t.Errorf("%d of %d workers are given something", busy, len(b.workers))
	}
	b.finish()
	for p := range projects {
		heard := b.heard[channel(p)]
		if len(heard) != each {
			t.Errorf("%s: %d messages", channel(p), len(heard))
		}
		for n, message := range heard {
			if !strings.HasPrefix(message, fmt.Sprintf(`{"data":{"n":%d}`, n)) {
				t.Fatalf("%s: number %d is %s", channel(p), n, message)
			}
		}
	}
}

// long makes a notification's body large.
func long(body []byte) []byte {
	return slices.Concat(body[:len(body)-1], []byte(`,"long":"`), bytes.Repeat([]byte("x"), oslo.SmallBody), []byte(`"}`))
}

// TestALargeBodyDelaysItsProjectOnly: others' notifications reach their workers
// while it is still to be decoded; those of the project wait for it, in order.
func TestALargeBodyDelaysItsProjectOnly(t *testing.T) {
	b := newTestbed(t, nil)
	channels := []string{"project/alpha/x", "project/beta/x"}
	b.listen(channels...)
	submit := func(n int, project string, enlarge func([]byte) []byte) {
		body := notification(fmt.Sprint(n), "compute.instance.update", project, emission("project/"+project+"/x", "", fmt.Sprintf(`{"n":%d}`, n)))
		b.submit(enlarge(body), "", delivery{b})
	}
	same := func(body []byte) []byte { return body }
	submit(0, "alpha", same)
	submit(1, "alpha", long)
	submit(2, "alpha", same)
	submit(3, "beta", same)
	submit(4, "alpha", func([]byte) []byte { return []byte(`{"event_type":`) }) // has no project
	submit(5, "alpha", func(body []byte) []byte { return long(body)[:len(body)+oslo.SmallBody] })
	submit(6, "alpha", long)
	submit(7, "alpha", same)
	ready := 0
	for _, w := range b.workers {
		ready += w.queue.Waiting()
	}
	if ready != 2 || b.large.queue.Waiting() != 5 {
		t.Errorf("%d are with workers, and %d wait for large bodies", ready, b.large.queue.Waiting())
	}
	b.finish()
	for channel, want := range map[string][]int{"project/alpha/x": {0, 1, 2, 6, 7}, "project/beta/x": {3}} {
		var got []int
		for _, message := range b.heard[channel] {
			var pub struct{ Data struct{ N int } }
			if err := json.Unmarshal([]byte(message), &pub); err != nil {
				t.Fatal(err)
			}
			got = append(got, pub.Data.N)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", channel, got, want)
		}
	}
	if got := b.counted(); got != "routed 6, malformed 2" || len(b.settled) != 8 || len(b.large.projects) != 0 {
		t.Errorf("counted: %s; settled %q; left %v", got, b.settled, b.large.projects)
	}
}

// TestLateIsPutAside: with the reason, and whether decoding or a plugin took long.
func TestLateIsPutAside(t *testing.T) {
	for name, c := range map[string]struct{ timeout, spent time.Duration }{
		"plugins": {-1, 0}, "decoding": {time.Minute, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t, nil)
			b.timeout = c.timeout
			b.listen("project/alpha/x")
			late := &fair.Item[job]{Value: job{delivery: delivery{b}, spent: c.spent}}
			body := notification("1", "compute.instance.update", "alpha", emission("project/alpha/x", "", "{}"))
			if err := b.oslo.Decode(&late.Value.Notification, body, ""); err != nil {
				t.Fatal(err)
			}
			b.queue(1, late)
			b.finish()
			if len(b.settled) != 1 || !strings.HasPrefix(b.settled[0], "rejected: late: it took longer than [router] notification_timeout") ||
				b.counted() != "late 1" || len(b.heard) != 0 {
				t.Errorf("settled %q, counted %s, heard %q", b.settled, b.counted(), b.heard)
			}
		})
	}
}

// TestIdentityNotificationsRevoke: and no others.
func TestIdentityNotificationsRevoke(t *testing.T) {
	b := newTestbed(t, nil)
	for i, eventType := range []string{"identity.user.deleted", "compute.instance.update", "identity.role_assignment.deleted"} {
		b.submit(notification(fmt.Sprint(i), eventType, "alpha", nil), "", delivery{b})
	}
	b.submit(notification("0", "identity.user.deleted", "alpha", nil), "", delivery{b}) // again
	b.finish()
	slices.Sort(b.revoked)
	if want := []string{"identity.role_assignment.deleted", "identity.user.deleted"}; !slices.Equal(b.revoked, want) {
		t.Errorf("%q", b.revoked)
	}
}

// TestTapShowsWhatPluginsGet: once each, and not what is a duplicate or malformed.
func TestTapShowsWhatPluginsGet(t *testing.T) {
	b := newTestbed(t, nil)
	server := httptest.NewServer(b.tap)
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, id := range []string{"1", "2", "1", "3"} {
		b.submit(notification(id, "compute.instance.update", "alpha", nil), "", delivery{b})
	}
	b.submit([]byte("{"), "", delivery{b})
	ids := make(chan string)
	go func() {
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			var n struct {
				ID string `json:"message_id"`
			}
			if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
				t.Error(err)
			}
			ids <- n.ID
		}
		close(ids)
	}()
	b.finish()
	for _, want := range []string{"1", "2", "3"} {
		if id := testwait.Receive(t, "the next notification", ids); id != want {
			t.Errorf("notification %q, not %q", id, want)
		}
	}
}
