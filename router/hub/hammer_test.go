package hub

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"horizon-realtime/router/wire"
)

// heard is one publication as a client got it.
type heard struct {
	channel string
	offset  uint64
	n       int // the channel's how many-th
}

// chain is what a client that kept its position has heard since a position: over
// any number of reconnects there must be nothing missing and nothing twice.
type chain struct {
	pattern string
	since   uint64
	got     []heard
	live    bool // still subscribed at the end
}

// fickle is a client that comes and goes.
type fickle struct {
	mu      sync.Mutex
	now     chain
	news    chan wire.Recovery
	ended   chan struct{}
	chains  []chain
	failed  []failure
	resumed int
	bad     string
	stays   atomic.Bool
}

// failure is a recovery that was not granted.
type failure struct {
	pattern string
	since   uint64
}

func (f *fickle) Deliver(b *wire.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for line := range strings.SplitSeq(string(b.Lines()), "\n") {
		var m struct {
			Push struct {
				Channel string
				Pub     json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Push.Channel != f.now.pattern {
			f.bad = line
			return
		}
		f.take(m.Push.Pub)
	}
}

func (f *fickle) take(text []byte) {
	var p struct {
		Data   int
		Offset uint64
		Tags   struct{ Channel string }
	}
	if err := json.Unmarshal(text, &p); err != nil {
		f.bad = string(text)
	}
	if p.Tags.Channel == "" {
		p.Tags.Channel = f.now.pattern
	}
	f.now.got = append(f.now.got, heard{p.Tags.Channel, p.Offset, p.Data})
}

func (f *fickle) Subscribed(_ *Subscription, _ uint32, r *wire.Recovery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []json.RawMessage
	if err := json.Unmarshal([]byte("["+string(r.Publications)+"]"), &list); err != nil {
		f.bad = string(r.Publications)
	}
	if r.Recovering && !r.Recovered {
		f.failed = append(f.failed, failure{f.now.pattern, f.position()})
	}
	if r.Recovered {
		f.resumed++
	} else {
		f.chains = append(f.chains, f.now)
		f.now = chain{pattern: f.now.pattern, since: r.Offset}
	}
	for _, p := range list {
		f.take(p)
	}
	f.news <- *r
}

func (f *fickle) Unsubscribed(*Subscription, uint32) { f.ended <- struct{}{} }

// Room is often too little, so that what it missed comes in pieces.
func (f *fickle) Room() (int, bool) {
	if f.stays.Load() {
		return 1 << 20, true
	}
	return rand.IntN(4000) * rand.IntN(2), rand.IntN(4) == 0
}

// Lost is the end of a chain: what follows is not recovered.
func (f *fickle) Lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, failure{f.now.pattern, f.position()})
}

// position is what the client would recover from.
func (f *fickle) position() uint64 {
	if n := len(f.now.got); n > 0 {
		return f.now.got[n-1].offset
	}
	return f.now.since
}

// live comes and goes until the publishers are done, and then stays.
func (f *fickle) live(t *testing.T, h *Hub, r *rand.Rand, patterns []string, rounds *atomic.Int64, done *atomic.Bool) {
	epoch, _ := h.Position()
	recover := false
	for ; ; rounds.Add(1) {
		if !recover {
			f.mu.Lock()
			f.chains = append(f.chains, f.now)
			f.now = chain{pattern: patterns[r.IntN(len(patterns))]}
			f.mu.Unlock()
		}
		sub := &Subscription{Channel: pattern(t, f.now.pattern), To: f, Recover: recover, Epoch: epoch, Offset: f.position()}
		last := done.Load()
		f.stays.Store(last) // nothing comes in pieces when the hub has stopped
		if err := h.Subscribe(sub, 1); err != nil {
			t.Error(err)
			return
		}
		<-f.news
		if last {
			return
		}
		// Stay until some messages came, or not at all.
		want := r.IntN(20)
		f.mu.Lock()
		want += len(f.now.got)
		f.mu.Unlock()
		for stay := r.IntN(200); stay > 0; stay-- {
			f.mu.Lock()
			enough := len(f.now.got) >= want
			f.mu.Unlock()
			if enough || done.Load() {
				break
			}
		}
		if err := h.Unsubscribe(sub, 1); err != nil {
			t.Error(err)
			return
		}
		<-f.ended
		recover = r.IntN(5) > 0
		if recover && r.IntN(5) == 0 {
			nap(h, done)
		}
	}
}

// nap stays away for longer than the history reaches.
func nap(h *Hub, done *atomic.Bool) {
	_, from := h.Position()
	for !done.Load() {
		if _, top := h.Position(); top > from+600 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestHammer has clients come, go and recover while publishers publish, and
// compares what each has heard with what was published, which one client that
// never leaves has heard in full.
func TestHammer(t *testing.T) {
	const groups, topics, clients, turns = 4, 3, 24, 20
	cfg := DefaultConfig()
	cfg.HistorySize, cfg.Shards = 40, 3
	h := newHub(cfg)
	stop := run(t, h)

	var patterns []string
	witnesses := map[string]*fickle{} // by group
	for g := range groups {
		group := fmt.Sprintf("project/p%d", g)
		patterns = append(patterns, group+"/*")
		w := &fickle{now: chain{pattern: group + "/*"}, news: make(chan wire.Recovery, 1)}
		witnesses[group] = w
		if err := h.Subscribe(&Subscription{Channel: pattern(t, group+"/*"), To: w}, 1); err != nil {
			t.Fatal(err)
		}
		<-w.news
		for n := range topics {
			patterns = append(patterns, fmt.Sprintf("%s/t%d", group, n))
		}
	}
	var done atomic.Bool
	var rounds, published atomic.Int64
	var publishers, all sync.WaitGroup
	for _, name := range patterns {
		if strings.HasSuffix(name, "*") {
			continue
		}
		publishers.Go(func() {
			for n := 0; rounds.Load() < clients*turns; n++ {
				mine := published.Add(1)
				for _, top := h.Position(); uint64(mine) > top+200; _, top = h.Position() {
					runtime.Gosched() // a queue of thousands would make all churn wait
				}
				if err := h.Publish(publication(t, name, fmt.Sprint(n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	people := make([]*fickle, clients)
	for i := range people {
		people[i] = &fickle{news: make(chan wire.Recovery, 1), ended: make(chan struct{}, 1)}
		all.Go(func() { people[i].live(t, h, rand.New(rand.NewPCG(uint64(i), 2)), patterns, &rounds, &done) })
	}
	publishers.Wait()
	done.Store(true)
	all.Wait()
	stop()

	witnessed := 0
	truth := map[string][]heard{} // by pattern, in the order of offsets
	for group, w := range witnesses {
		if w.bad != "" {
			t.Fatalf("the witness of %s was sent %q", group, w.bad)
		}
		witnessed += len(w.now.got)
		truth[group+"/*"] = w.now.got
		for _, p := range w.now.got {
			if len(truth[p.channel]) != p.n {
				t.Fatalf("%s: the %d-th came as the %d-th", p.channel, p.n, len(truth[p.channel]))
			}
			truth[p.channel] = append(truth[p.channel], p)
		}
	}
	if witnessed != int(published.Load()) {
		t.Fatalf("the witnesses heard %d of %d", witnessed, published.Load())
	}
	resumed, chains, deliveries, denied := 0, 0, 0, 0
	for i, f := range people {
		if f.bad != "" {
			t.Fatalf("client %d was sent %q", i, f.bad)
		}
		f.now.live = true
		for _, c := range append(f.chains, f.now) {
			checkChain(t, i, c, truth[c.pattern])
			deliveries += len(c.got)
			chains++
		}
		resumed += f.resumed
		denied += len(f.failed)
		for _, x := range f.failed {
			if n := after(truth[x.pattern], x.since); len(n) <= cfg.HistorySize {
				t.Errorf("client %d: %s since %d was refused, though only %d came after it", i, x.pattern, x.since, len(n))
			}
		}
	}
	t.Logf("%d clients heard %d publications in %d chains; %d recoveries granted, %d denied", clients, deliveries, chains, resumed, denied)
	if resumed == 0 || denied == 0 {
		t.Error("the clients did not churn enough for the test to mean something")
	}
}

func after(all []heard, since uint64) []heard {
	i, _ := slices.BinarySearchFunc(all, since, func(p heard, since uint64) int {
		if p.offset <= since {
			return -1
		}
		return 1
	})
	return all[i:]
}

// checkChain compares a chain with all that was published to its pattern.
func checkChain(t *testing.T, client int, c chain, all []heard) {
	t.Helper()
	want := after(all, c.since)
	if !c.live {
		want = want[:min(len(want), len(c.got))]
	}
	if !slices.Equal(c.got, want) {
		t.Fatalf("client %d on %s since %d heard %d publications, not the %d there were",
			client, c.pattern, c.since, len(c.got), len(want))
	}
}
