package hub

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

// TestBatchDelay: what comes after a quiet time is sent at once; what follows is
// joined, until the delay is over or the queue is full.
func TestBatchDelay(t *testing.T) {
	cfg := DefaultConfig()
	cfg.QueueBytes, cfg.MessageBytes = share*64<<10, 8<<10
	h, shard := still(cfg)
	shard.delay = time.Hour
	var mu sync.Mutex
	var batches []int // messages of each
	s := &caller{deliver: func(b *wire.Batch) {
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, b.Len())
	}}
	h.Subscribe(&Subscription{Channel: pattern(t, "public/a"), To: s}, 1)
	shard.drain()
	shard.drained = time.Time{}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	say := func(n, size int) {
		for range n {
			h.Publish(publication(t, "public/a", `"`+strings.Repeat("x", size)+`"`))
		}
	}
	delivered := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, b := range batches {
			n += b
		}
		return n
	}
	say(1, 10)
	testwait.Until(t, "the first one", func() bool { return delivered() == 1 })
	// The group's share of the queue has room for 15 of 40, so 25 cannot wait for the
	// hour. Whether more of them are sent depends on who runs when.
	say(40, 4<<10)
	testwait.Until(t, "those for which there was no room", func() bool { return delivered() >= 1+25 })
	say(5, 10)
	cancel()
	running.Wait()
	if n := delivered(); n != 46 {
		t.Errorf("%d were delivered, not 46", n)
	}
	if batches[0] != 1 || len(batches) > 20 { // 32 KB each at most
		t.Errorf("batches of %v", batches)
	}
}

// TestBatchDelayPasses: a delay that can be configured holds nothing up for ever.
func TestBatchDelayPasses(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Shards, cfg.BatchDelay = 1, 5*time.Millisecond
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := newHub(cfg)
	run(t, h)
	next := make(chan int, 1000)
	s := &caller{deliver: func(b *wire.Batch) { next <- b.Len() }}
	h.Subscribe(&Subscription{Channel: pattern(t, "public/a"), To: s}, 1)
	for range 20 { // each waits for the one before
		h.Publish(publication(t, "public/a", `1`))
		if n := testwait.Receive(t, "the delivery", next); n != 1 {
			t.Fatalf("%d messages", n)
		}
	}
	cfg.BatchDelay = 6 * time.Millisecond
	if err := cfg.Validate(); err == nil || err.Error() != "[hub] batch_delay = 6ms: between 0s and 5ms" {
		t.Errorf("6ms: %v", err)
	}
}

// caller is a subscriber that hands on what it is given.
type caller struct{ deliver func(*wire.Batch) }

func (s *caller) Deliver(b *wire.Batch)                          { s.deliver(b) }
func (*caller) Subscribed(*Subscription, uint32, *wire.Recovery) {}
func (*caller) Unsubscribed(*Subscription, uint32)               {}
func (*caller) Room() (int, bool)                                { return 1 << 20, true }
func (*caller) Lost()                                            {}
