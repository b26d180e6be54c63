package hub

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

// TestFairTurns: however much of one group waits, a message of another is
// delivered after one turn of it, and goes into the queue although the flood has
// to wait there.
func TestFairTurns(t *testing.T) {
	cfg := DefaultConfig()
	cfg.QueueBytes, cfg.MessageBytes = share*256<<10, 4<<10
	h, s := still(cfg)
	var order []string
	hear := func(channel string) {
		h.Subscribe(&Subscription{Channel: pattern(t, channel), To: &caller{func(b *wire.Batch) {
			for i := range b.Len() {
				order = append(order, b.Message(i).Channel)
			}
		}}}, 1)
	}
	for _, channel := range []string{"project/flood/a", "project/flood/b", "project/calm/a", "project/calm2/*"} {
		hear(channel)
	}
	s.drain()
	// Nobody works the queue: the flood stops at its share of it.
	var flood sync.WaitGroup
	const n = 2000
	flood.Go(func() {
		for i := range n {
			if err := h.Publish(publication(t, "project/flood/"+string("ab"[i%2]), `"`+strings.Repeat("x", 1000)+`"`)); err != nil {
				t.Error(err)
			}
		}
	})
	testwait.Until(t, "the flood waits", func() bool { return testutil.ToFloat64(h.waits) == 1 })
	if err := h.Publish(publication(t, "project/calm/a", `1`)); err != nil {
		t.Fatal(err)
	}
	s.round()
	if err := h.Publish(publication(t, "project/calm2/x", `2`)); err != nil {
		t.Fatal(err)
	}
	for len(order) < n+2 {
		s.round()
	}
	flood.Wait()
	const turn = turnBytes / 1000
	place := map[string]int{}
	for i, channel := range order {
		place[channel] = i
	}
	for channel, latest := range map[string]int{"project/calm/a": turn, "project/calm2/x": 1 + 2*turn} {
		if at := place[channel]; at > latest || at == 0 {
			t.Errorf("the message of %s came after %d of the flood, not after at most %d", channel, at, latest)
		}
	}
	for i, channel := range order[len(order)-10:] {
		if !strings.HasPrefix(channel, "project/flood/") {
			t.Errorf("number %d from the end is of %s", 10-i, channel)
		}
	}
	if n := s.queue.Waiting(); n != 0 {
		t.Errorf("%d commands are left", n)
	}
}

// TestTurnsOfManyGroups: each of more groups than a round has turns gets its
// own before any gets a second, and all keep their order.
func TestTurnsOfManyGroups(t *testing.T) {
	cfg := DefaultConfig()
	cfg.QueueBytes = 64 << 20
	h, s := still(cfg)
	const groups, each, size = 3*maxTurns + 7, 60, 1000
	const turn = turnBytes / size
	last := map[string]int{}
	for g := range groups {
		channel := fmt.Sprintf("project/p%d/a", g)
		h.Subscribe(&Subscription{Channel: pattern(t, channel), To: &caller{func(b *wire.Batch) {
			for i := range b.Len() {
				var n int
				line := string(b.Message(i).Line)
				fmt.Sscanf(line[strings.Index(line, `"data":"`):], `"data":"%d`, &n)
				if n != last[channel]+1 {
					t.Errorf("%s: %d after %d", channel, n, last[channel])
				}
				last[channel] = n
			}
			if last[channel] > turn && len(last) < groups {
				t.Errorf("%s has %d when %d groups have none", channel, last[channel], groups-len(last))
			}
		}}}, 1)
	}
	s.drain()
	for g := range groups {
		for n := range each {
			h.Publish(publication(t, fmt.Sprintf("project/p%d/a", g), fmt.Sprintf(`"%d %s"`, n+1, strings.Repeat("x", size))))
		}
	}
	s.drain()
	for channel, n := range last {
		if n != each {
			t.Errorf("%s got %d of %d", channel, n, each)
		}
	}
	if len(last) != groups {
		t.Errorf("%d of %d groups got something", len(last), groups)
	}
}

// TestTurnIsOneBatch: a turn of a channel's messages goes out in one write,
// however long they are, and is not much less than a write may be.
func TestTurnIsOneBatch(t *testing.T) {
	for _, size := range []int{2, 300, 3000} {
		cfg := DefaultConfig()
		h, s := still(cfg)
		var batches, messages, bytes int
		h.Subscribe(&Subscription{Channel: pattern(t, "project/0a1b2c3d4e5f60718293a4b5c6d7e8f9/instances"), To: &caller{func(b *wire.Batch) {
			batches++
			messages += b.Len()
			bytes += len(b.Lines())
		}}}, 1)
		s.drain()
		const n = 120
		p := publication(t, "project/0a1b2c3d4e5f60718293a4b5c6d7e8f9/instances", `"`+strings.Repeat("x", size)+`"`)
		p.Key, p.At = []byte("0b6e3a6c-9a0f-4e53-a9d3-5a3d1c3a2b10"), time.Now()
		for range n {
			h.Publish(p)
		}
		rounds := 1
		for ; s.round(); rounds++ {
		}
		if batches != rounds || messages != n || rounds > 1+bytes/(maxBatch*3/4) {
			t.Errorf("%d bytes each: %d messages, %d bytes, in %d batches and %d rounds", size, messages, bytes, batches, rounds)
		}
	}
}

// A question about a channel, and a recovery, may take a shard long: each is a
// turn of its own.
func TestFairQuestions(t *testing.T) {
	h, s := still(DefaultConfig())
	var order []string
	sub := func(channel string, recovers bool) *Subscription {
		return &Subscription{Channel: pattern(t, channel), Recover: recovers, To: &caller{func(*wire.Batch) { order = append(order, channel) }}}
	}
	h.Subscribe(sub("project/calm/a", false), 1)
	s.drain()
	for range 3 {
		h.Inspect(publication(t, "project/curious/a", `1`).Channel, func(*View) { order = append(order, "asked") })
		h.Subscribe(sub("project/curious/a", true), 1)
	}
	if err := h.Publish(publication(t, "project/calm/a", `1`)); err != nil {
		t.Fatal(err)
	}
	s.drain()
	if want := "[asked project/calm/a asked asked]"; fmt.Sprint(order) != want {
		t.Errorf("%v, not %s", order, want)
	}
}
