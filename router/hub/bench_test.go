package hub

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

// sink is a subscriber that costs nothing.
type sink struct {
	messages atomic.Int64
	bytes    int
}

func (s *sink) Deliver(b *wire.Batch) {
	s.bytes += len(b.Frame())
	s.messages.Add(int64(b.Len()))
}
func (s *sink) Subscribed(*Subscription, uint32, *wire.Recovery) { s.messages.Add(1) }
func (s *sink) Unsubscribed(*Subscription, uint32)               {}
func (s *sink) Room() (int, bool)                                { return 1 << 20, true }
func (s *sink) Lost()                                            {}

var benchData = `{"v":1,"event":"compute.instance.update","id":"` + strings.Repeat("x", 250) + `"}`

func benchPublication(b *testing.B, channel string) Publication {
	p := publication(b, channel, benchData)
	p.Key, p.At = []byte("0b6e3a6c-9a0f-4e53-a9d3-5a3d1c3a2b10"), time.Now()
	return p
}

// BenchmarkFanOut is one publication to so many subscribers of its channel.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cfg := DefaultConfig()
			cfg.Shards = 1
			h := newHub(cfg)
			run(b, h)
			s := new(sink)
			for range n {
				h.Subscribe(&Subscription{Channel: pattern(b, "public/a"), To: s}, 1)
			}
			p := benchPublication(b, "public/a")
			b.ReportAllocs()
			for b.Loop() {
				h.Publish(p)
			}
			settle(b, h)
		})
	}
}

// settle waits until everything that was published has been taken.
func settle(b *testing.B, h *Hub) {
	for _, s := range h.shards {
		testwait.Until(b, "all is taken", func() bool { return s.queue.Waiting() == 0 })
	}
}

// BenchmarkManyChannels is one publication to one of so many channels, with one
// subscriber each: it must not depend on how many there are.
func BenchmarkManyChannels(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cfg := DefaultConfig()
			cfg.Shards, cfg.HistorySize = 1, 10
			h := newHub(cfg)
			run(b, h)
			s := new(sink)
			ps := make([]Publication, n)
			for i := range ps {
				ps[i] = benchPublication(b, fmt.Sprintf("project/p%d/instances", i))
				h.Subscribe(&Subscription{Channel: ps[i].Channel, To: s}, 1)
			}
			for range 12 { // fill the histories
				for _, p := range ps {
					h.Publish(p)
				}
			}
			settle(b, h)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				h.Publish(ps[i%n])
				i++
			}
			settle(b, h)
		})
	}
}

// BenchmarkNobody is a publication that nobody hears or will hear.
func BenchmarkNobody(b *testing.B) {
	cfg := DefaultConfig()
	cfg.HistorySize = 0
	h := newHub(cfg)
	run(b, h)
	p := benchPublication(b, "project/p1/instances")
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(p)
	}
}

// TestDeliveryAllocatesNothing holds the benchmarks' claim.
func TestDeliveryAllocatesNothing(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistorySize = 10
	h, s := still(cfg)
	for i := range 50 {
		h.Subscribe(&Subscription{Channel: pattern(t, "project/p/a"), To: new(sink)}, uint32(i))
		h.Subscribe(&Subscription{Channel: pattern(t, "project/p/*"), To: new(sink)}, uint32(i))
		h.Subscribe(&Subscription{Channel: pattern(t, "user/u/a"), Project: fmt.Sprint(i % 3), To: new(sink)}, uint32(i))
	}
	p, u := publication(t, "project/p/a", benchData), publication(t, "user/u/a", benchData)
	u.Project = "1"
	publish := func() {
		for range 10 {
			h.Publish(p)
			h.Publish(u)
		}
		s.drain()
	}
	for range 20 {
		publish()
	}
	if n := testing.AllocsPerRun(100, publish); n > 0 {
		t.Errorf("%v allocations for 1,000 deliveries", n)
	}
}
