package transport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

func TestSlowRules(t *testing.T) {
	cfg := testConfig()
	cfg.Slow = "drop-oldest"
	cfg.SlowChannels = []SlowChannel{
		{"project/p1/instances", "disconnect"},
		{"project/*/instances", "conflate"},
		{"user/*/*", "disconnect"},
		{"admin/*", "conflate"},
	}
	r := startSlowRules(t, cfg)
	for channel, want := range map[string]policy{
		"project/p1/instances": disconnectSlow,
		"project/p2/instances": conflate,
		"project/p2/volumes":   dropOldest,
		"user/u/instances":     disconnectSlow,
		"admin/instances":      conflate,
		"public/instances":     dropOldest,
	} {
		if got := r.of(channel); got != want {
			t.Errorf("%s: policy %d, not %d", channel, got, want)
		}
	}
}

func startSlowRules(t testing.TB, cfg config) *slowRules {
	t.Helper()
	if err := cfg.Config.Validate(); err != nil {
		t.Fatal(err)
	}
	return newSlowRules(cfg.Slow, cfg.SlowChannels, prometheus.NewRegistry())
}

// batches is a hub's subscriber that calls a function with what it is given.
type batches struct {
	take         func(*wire.Batch)
	unsubscribed chan struct{}
}

func (s *batches) Deliver(b *wire.Batch)                              { s.take(b) }
func (*batches) Subscribed(*hub.Subscription, uint32, *wire.Recovery) {}
func (s *batches) Unsubscribed(*hub.Subscription, uint32)             { s.unsubscribed <- struct{}{} }
func (*batches) Room() (int, bool)                                    { return 1 << 20, true }
func (*batches) Lost()                                                {}

func (w *world) listen(t testing.TB, channel string, to *batches) func() {
	t.Helper()
	ch, err := event.ParsePattern(channel)
	if err != nil {
		t.Fatal(err)
	}
	sub := &hub.Subscription{Channel: ch, To: to}
	if err := w.hub.Subscribe(sub, 1); err != nil {
		t.Fatal(err)
	}
	return func() { w.hub.Unsubscribe(sub, 2); <-to.unsubscribed }
}

// model is a backlog without any links or maps.
type model struct {
	rules   *slowRules
	held    []modelMessage
	missing map[string]int
}

type modelMessage struct {
	line, pattern, channel, key string
	policy                      policy
}

func (m *model) add(b *wire.Batch) {
	for i := range b.Len() {
		is := b.Message(i)
		n := modelMessage{string(is.Line), b.Pattern(), is.Channel, string(is.Key), m.rules.of(is.Channel)}
		m.held = slices.DeleteFunc(m.held, func(o modelMessage) bool {
			return n.policy == conflate && n.key != "" && o.pattern == n.pattern && o.channel == n.channel && o.key == n.key
		})
		m.held = append(m.held, n)
	}
}

func (m *model) bytes() (n int) {
	for _, h := range m.held {
		n += len(h.line) + heldCost
		if h.policy == conflate {
			n += len(h.key)
		}
	}
	return n
}

func (m *model) trim(room int) bool {
	for i := 0; i < len(m.held) && m.bytes() > room; {
		h := m.held[i]
		newest := !slices.ContainsFunc(m.held[i+1:], func(o modelMessage) bool { return o.pattern == h.pattern })
		if h.policy == disconnectSlow || newest {
			i++
			continue
		}
		m.missing[h.pattern]++
		m.held = slices.Delete(m.held, i, i+1)
	}
	return m.bytes() <= room
}

func (m *model) forget(pattern string) {
	m.held = slices.DeleteFunc(m.held, func(o modelMessage) bool { return o.pattern == pattern })
	delete(m.missing, pattern)
}

// take gives what the next line must be: the line without the count, and the
// count.
func (m *model) take() (string, int) {
	h := m.held[0]
	m.held = m.held[1:]
	n := m.missing[h.pattern]
	delete(m.missing, h.pattern)
	return h.line, n
}

// skippedOf takes the count out of a line.
func skippedOf(t *testing.T, line []byte) (string, int) {
	t.Helper()
	var m struct {
		Push struct {
			Pub struct{ Tags struct{ Skipped string } }
		}
	}
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	skipped := m.Push.Pub.Tags.Skipped
	if skipped == "" {
		return string(line), 0
	}
	bare := strings.Replace(string(line), `,"skipped":"`+skipped+`"`, "", 1)
	bare = strings.Replace(bare, `,"tags":{"skipped":"`+skipped+`"}`, "", 1)
	var n int
	if _, err := fmt.Sscan(skipped, &n); err != nil {
		t.Fatal(err)
	}
	return bare, n
}

func TestBacklogAgainstAModel(t *testing.T) {
	cfg := testConfig()
	cfg.Slow = "drop-oldest"
	cfg.SlowChannels = []SlowChannel{{"project/*/c", "conflate"}, {"project/*/d", "disconnect"}}
	hubConfig := hub.DefaultConfig()
	hubConfig.Shards = 1
	w := startWith(t, cfg, hubConfig)
	rules := startSlowRules(t, cfg)
	var mu sync.Mutex
	backlog, want := &backlog{rules: rules}, &model{rules: rules, missing: map[string]int{}}
	got := 0
	to := &batches{unsubscribed: make(chan struct{}), take: func(b *wire.Batch) {
		mu.Lock()
		defer mu.Unlock()
		backlog.add(b)
		want.add(b)
		got += b.Len()
	}}
	patterns := []string{"project/p1/a", "project/p1/c", "project/p1/d", "project/p1/*"}
	for _, pattern := range patterns {
		defer w.listen(t, pattern, to)()
	}
	r := rand.New(rand.NewPCG(1, 2))
	compare := func(what string) {
		t.Helper()
		if backlog.size() != want.bytes() || backlog.empty() != (len(want.held) == 0) || backlog.all.Len() != len(want.held) {
			t.Fatalf("after %s: %d messages of %d bytes are held, not %d of %d", what,
				backlog.all.Len(), backlog.size(), len(want.held), want.bytes())
		}
	}
	expected, taken := 0, 0
	for range 1000 {
		for range 1 + r.IntN(4) {
			topic := string("abcd"[r.IntN(4)])
			ch, _ := event.ParseChannel("project/p1/" + topic)
			key := []byte([]string{"", "k1", "k2", "k3"}[r.IntN(4)])
			data := []byte(`"` + strings.Repeat("x", r.IntN(3000)) + `"`)
			if err := w.hub.Publish(hub.Publication{Channel: ch, Key: key, Data: data}); err != nil {
				t.Fatal(err)
			}
			if expected++; topic != "b" {
				expected++ // for the one that hears all
			}
		}
		testwait.Until(t, "all is delivered", func() bool { mu.Lock(); defer mu.Unlock(); return got == expected })
		mu.Lock()
		compare("adding")
		switch r.IntN(5) {
		case 0:
			room := r.IntN(60_000)
			if is, should := backlog.trim(room), want.trim(room); is != should {
				t.Fatalf("trimming to %d: %t", room, is)
			}
			compare("trimming")
		case 1, 2:
			piece := backlog.take(nil)
			if len(piece) > pieceBytes+64 && bytes.IndexByte(piece, '\n') >= 0 {
				t.Fatalf("a piece has %d bytes", len(piece))
			}
			for line := range bytes.SplitSeq(piece, []byte{'\n'}) {
				line, n := skippedOf(t, line)
				if should, m := want.take(); line != should || n != m {
					t.Fatalf("took %.200s after %d dropped, not %.200s after %d", line, n, should, m)
				}
				taken++
			}
			compare("taking")
		case 3:
			if r.IntN(10) == 0 {
				pattern := patterns[r.IntN(len(patterns))]
				backlog.forget(pattern)
				want.forget(pattern)
				compare("forgetting")
			}
		}
		mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	if taken == 0 || testutil.ToFloat64(rules.dropped) == 0 || testutil.ToFloat64(rules.conflated) == 0 {
		t.Errorf("took %d, dropped %v, conflated %v: not all happened", taken, testutil.ToFloat64(rules.dropped), testutil.ToFloat64(rules.conflated))
	}
	backlog.clear()
	if !backlog.empty() || backlog.size() != 0 {
		t.Error("a cleared backlog is not empty")
	}
}
