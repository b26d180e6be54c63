package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"horizon-realtime/router/event"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newHub makes a hub for which time stands still, so that its offsets count
// publications.
func newHub(cfg Config) *Hub {
	h := New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	h.CountOffsets()
	return h
}

// run has the hub run until the test ends, or stop is called.
func run(t testing.TB, h *Hub) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func pattern(t testing.TB, name string) event.Channel {
	t.Helper()
	c, err := event.ParsePattern(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func publication(t testing.TB, channel, data string) Publication {
	return Publication{Channel: pattern(t, channel), Data: []byte(data)}
}

// ear is a subscriber that keeps what it hears.
type ear struct {
	mu      sync.Mutex
	lines   []string
	frames  int
	answers []wire.Recovery
	ended   []uint32
	room    int
	hoards  bool // what it is given waits for it, until room is set again
	lost    int
}

func newEar() *ear { return &ear{room: 1 << 20} }

func (e *ear) Deliver(b *wire.Batch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frames++
	if e.hoards {
		e.room -= len(b.Lines())
	}
	e.lines = append(e.lines, strings.Split(string(b.Lines()), "\n")...)
}

func (e *ear) Subscribed(_ *Subscription, _ uint32, r *wire.Recovery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := *r
	kept.Publications = bytes.Clone(r.Publications)
	e.answers = append(e.answers, kept)
}

func (e *ear) Unsubscribed(_ *Subscription, id uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = append(e.ended, id)
}

func (e *ear) Room() (int, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.room, !e.hoards
}

func (e *ear) Lost() { e.lost++ }

// wait waits until the condition holds, which is asked with mu held.
func (e *ear) wait(t testing.TB, what string, condition func() bool) {
	t.Helper()
	testwait.Until(t, what, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return condition()
	})
}

// subscribe waits for the answer.
func (e *ear) subscribe(t testing.TB, h *Hub, sub *Subscription) wire.Recovery {
	t.Helper()
	sub.To = e
	n := len(e.answers)
	if err := h.Subscribe(sub, 1); err != nil {
		t.Fatal(err)
	}
	e.wait(t, "subscribe", func() bool { return len(e.answers) > n })
	return e.answers[n]
}

func TestPushIsWhatClientsExpect(t *testing.T) {
	h := newHub(DefaultConfig())
	run(t, h)
	e := newEar()
	e.subscribe(t, h, &Subscription{Channel: pattern(t, "project/p1/instances")})
	e.subscribe(t, h, &Subscription{Channel: pattern(t, "project/p1/*")})
	p := publication(t, "project/p1/instances", `{"id": "a"}`)
	p.Key, p.Removed, p.At = []byte("a\"\x01\xff"), true, time.UnixMilli(1764547200123)
	if err := h.Publish(p); err != nil {
		t.Fatal(err)
	}
	e.wait(t, "two pushes", func() bool { return len(e.lines) == 2 })
	want := []string{
		`{"push":{"channel":"project/p1/instances","pub":{"data":{"id": "a"},"offset":1,"key":"a\"\u0001�","removed":true,"time":1764547200123}}}`,
		`{"push":{"channel":"project/p1/*","pub":{"data":{"id": "a"},"offset":1,"key":"a\"\u0001�","removed":true,"time":1764547200123,"tags":{"channel":"project/p1/instances"}}}}`,
	}
	if diff := cmp.Diff(want, e.lines); diff != "" {
		t.Fatal(diff)
	}
}

func TestPublishRefuses(t *testing.T) {
	h := newHub(DefaultConfig())
	for name, c := range map[string]struct {
		p    Publication
		want string
	}{
		"wildcard":   {publication(t, "project/p1/*", `1`), `publish to "project/p1/*": bad channel`},
		"nothing":    {Publication{}, `publish to "": bad channel`},
		"no data":    {publication(t, "public/a", ""), "publish to public/a: the data must be one JSON value without line breaks"},
		"line break": {publication(t, "public/a", "[1,\n2]"), "publish to public/a: the data must be one JSON value without line breaks"},
		"too big":    {publication(t, "public/a", strings.Repeat("1", 300_000)), "publish to public/a: 300000 bytes are over the limit of 262144; raise [hub] message_bytes"},
		"long key": {Publication{Channel: pattern(t, "public/a"), Data: []byte("1"), Key: make([]byte, 257)},
			"publish to public/a: a key of 257 bytes is over the limit of 256"},
	} {
		if err := h.Publish(c.p); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, not %s", name, err, c.want)
		}
	}
}

func TestWaitingMessagesAreJoined(t *testing.T) {
	h := newHub(DefaultConfig())
	e := newEar()
	if err := h.Subscribe(&Subscription{Channel: pattern(t, "public/a"), To: e}, 1); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for i := range n {
		if err := h.Publish(publication(t, "public/a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	run(t, h)
	e.wait(t, "all", func() bool { return len(e.lines) == n })
	if e.frames > 5 {
		t.Errorf("%d messages came in %d frames", n, e.frames)
	}
	for i, line := range e.lines {
		if want := fmt.Sprintf(`"data":%d,"offset":%d}`, i, i+1); !strings.Contains(line, want) {
			t.Fatalf("message %d is %s", i, line)
		}
	}
}

func TestStopFinishesWhatWasAccepted(t *testing.T) {
	h := newHub(DefaultConfig())
	e := newEar()
	stop := run(t, h)
	e.subscribe(t, h, &Subscription{Channel: pattern(t, "public/a")})
	for range 100 {
		if err := h.Publish(publication(t, "public/a", "1")); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if len(e.lines) != 100 {
		t.Errorf("%d of 100 were delivered", len(e.lines))
	}
	if err := h.Publish(publication(t, "public/a", "1")); !errors.Is(err, ErrClosed) {
		t.Errorf("publish after the stop: %v", err)
	}
	if err := h.Subscribe(&Subscription{Channel: pattern(t, "public/a"), To: e}, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("subscribe after the stop: %v", err)
	}
}

func TestPublishersWaitForAFullQueue(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Shards, cfg.MessageBytes, cfg.QueueBytes = 1, 1<<10, 64<<10
	h := newHub(cfg)
	e := newEar()
	if err := h.Subscribe(&Subscription{Channel: pattern(t, "public/a"), To: e}, 1); err != nil {
		t.Fatal(err)
	}
	data := `"` + strings.Repeat("x", 1000) + `"`
	const n = 1000
	var wg sync.WaitGroup
	wg.Go(func() {
		for range n {
			if err := h.Publish(publication(t, "public/a", data)); err != nil {
				t.Error(err)
			}
		}
	})
	testwait.Until(t, "the group's share of the queue is full", func() bool { return testutil.ToFloat64(h.waits) == 1 })
	if got, most := h.shards[0].queue.Waiting(), 1+cfg.QueueBytes/share/len(data); got != most {
		t.Errorf("the subscription and %d publications wait, not %d", got-1, most-1)
	}
	run(t, h)
	wg.Wait()
	e.wait(t, "all", func() bool { return len(e.lines) == n })
}

func TestUnsubscribeIsTheEnd(t *testing.T) {
	h := newHub(DefaultConfig())
	run(t, h)
	e := newEar()
	sub := &Subscription{Channel: pattern(t, "public/a")}
	e.subscribe(t, h, sub)
	h.Publish(publication(t, "public/a", "1"))
	h.Unsubscribe(sub, 7)
	h.Publish(publication(t, "public/a", "2"))
	h.Unsubscribe(sub, 8)
	h.Subscribe(sub, 9)
	e.wait(t, "two ends", func() bool { return len(e.ended) == 2 })
	_, top := h.Position()
	testwait.Until(t, "the second publication", func() bool { _, top = h.Position(); return top == 2 })
	if len(e.lines) != 1 || len(e.answers) != 1 {
		t.Errorf("heard %v and %v", e.lines, e.answers)
	}
}

func TestPositionCoversTheGapBeforeSubscribing(t *testing.T) {
	h := newHub(DefaultConfig())
	run(t, h)
	h.Publish(publication(t, "public/other", "0"))
	testwait.Until(t, "the first publication", func() bool { _, top := h.Position(); return top == 1 })
	epoch, offset := h.Position()
	h.Publish(publication(t, "public/a", "1"))
	h.Publish(publication(t, "public/b", "2"))
	for channel, want := range map[string]string{
		"public/a": `{"data":1,"offset":2}`,
		"public/*": `{"data":1,"offset":2,"tags":{"channel":"public/a"}},{"data":2,"offset":3,"tags":{"channel":"public/b"}}`,
	} {
		r := newEar().subscribe(t, h, &Subscription{Channel: pattern(t, channel), Recover: true, Epoch: epoch, Offset: offset})
		if !r.Recovered || r.Offset != offset || string(r.Publications) != want {
			t.Errorf("%s: %+v %s", channel, r, r.Publications)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.HistorySize, c.HistoryTTL, c.QueueBytes = -1, 0, 100_000
	want := `[hub] history_size = -1: between 0 and 100000
[hub] history_ttl = 0s: between 1s and 24h
[hub] queue_bytes = 100000: at least message_bytes (262144)`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}
