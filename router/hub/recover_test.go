package hub

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/wire"
)

// still is a hub whose only shard the test works itself.
func still(cfg Config) (*Hub, *shard) {
	cfg.Shards = 1
	h := newHub(cfg)
	return h, h.shards[0]
}

func (s *shard) put(t testing.TB, channel, data string) {
	t.Helper()
	if err := s.hub.Publish(publication(t, channel, data)); err != nil {
		t.Fatal(err)
	}
	s.drain()
}

// ask subscribes, gives the answer and unsubscribes.
func (s *shard) ask(t testing.TB, channel string, since uint64) wire.Recovery {
	t.Helper()
	epoch, _ := s.hub.Position()
	return s.askEpoch(t, channel, epoch, since, 1<<20)
}

func (s *shard) askEpoch(t testing.TB, channel, epoch string, since uint64, room int) wire.Recovery {
	t.Helper()
	e := newEar()
	e.room = room
	sub := &Subscription{Channel: pattern(t, channel), To: e, Recover: true, Epoch: epoch, Offset: since}
	s.hub.Subscribe(sub, 1)
	s.hub.Unsubscribe(sub, 2)
	s.drain()
	return e.answers[0]
}

func TestRecoveryIsExact(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistorySize = 3
	_, s := still(cfg)
	for i := 1; i <= 5; i++ { // offsets 1, 3, 5, 7, 9
		s.put(t, "project/p/a", fmt.Sprint(i))
		s.put(t, "project/q/a", "0")
	}
	// a has dropped 1 and 3; 5, 7 and 9 are left.
	for since, want := range map[uint64]bool{0: false, 1: false, 2: false, 3: true, 4: true, 5: true, 9: true, 10: true, 11: false} {
		for _, channel := range []string{"project/p/a", "project/p/*"} {
			r := s.ask(t, channel, since)
			if r.Recovered != want || !r.Recovering || !r.Recoverable {
				t.Errorf("%s since %d: %+v", channel, since, r)
			}
			if r.Recovered && r.Offset != since || !r.Recovered && (r.Offset != 10 || len(r.Publications) > 0) {
				t.Errorf("%s since %d: %+v", channel, since, r)
			}
		}
	}
	if r := s.ask(t, "project/p/a", 5); string(r.Publications) != `{"data":4,"offset":7},{"data":5,"offset":9}` {
		t.Errorf("since 5: %s", r.Publications)
	}
	if r := s.askEpoch(t, "project/p/a", "other", 9, 1<<20); r.Recovered {
		t.Error("recovered another epoch's offset")
	}
	if r := s.askEpoch(t, "project/p/a", "", 9, 1<<20); r.Recovered {
		t.Error("recovered without an epoch")
	}
}

func TestNeverPublishedRecoversFromAnywhere(t *testing.T) {
	_, s := still(DefaultConfig())
	for range 10 {
		s.put(t, "project/p/a", "1")
	}
	for _, channel := range []string{"project/p/b", "project/q/b", "project/q/*"} {
		if r := s.ask(t, channel, 0); !r.Recovered || len(r.Publications) > 0 {
			t.Errorf("%s: %+v", channel, r)
		}
	}
}

func TestForgottenChannelsAreRemembered(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Channels = 2
	// a, b and c are gone with their offsets 1 to 3, and their group with them.
	for _, c := range []struct {
		channel string
		since   uint64
		want    bool
	}{
		{"project/q/d", 0, true}, {"project/p/a", 2, false}, {"project/p/a", 3, true}, {"project/p/*", 2, false},
		{"project/p/*", 3, true}, {"project/z/z", 2, false}, {"project/z/z", 3, true},
	} {
		_, s := still(cfg)
		for i, channel := range []string{"project/p/a", "project/p/b", "project/p/c", "project/q/d", "project/r/e"} {
			s.put(t, channel, fmt.Sprint(i+1))
		}
		if r := s.ask(t, c.channel, c.since); r.Recovered != c.want {
			t.Errorf("%s since %d: %+v", c.channel, c.since, r)
		}
	}
}

func TestHistoryAgesAndHasItsBytes(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistoryBytes = 1 << 20
	cfg.HistorySize = 100_000
	_, s := still(cfg)
	data := `"` + strings.Repeat("x", 1000) + `"`
	for i := range 3000 {
		s.put(t, fmt.Sprintf("project/p%d/a", i%7), data)
		if s.used > s.bytes || s.spare > s.bytes/8 {
			t.Fatalf("%d bytes used, %d spare, over the bound of %d", s.used, s.spare, s.bytes)
		}
	}
	if s.entries.first.value.offset != 3000-uint64(s.bytes/1024)+1 {
		t.Errorf("the oldest is %d", s.entries.first.value.offset)
	}
	if !s.ask(t, "project/p0/a", s.entries.first.value.offset-1).Recovered || s.ask(t, "project/p0/a", s.entries.first.value.offset-9).Recovered {
		t.Error("the watermark is not at the oldest")
	}
	s.began = s.began.Add(-time.Hour) // an hour passes
	s.expire()
	if s.used != 0 || s.entries.first != nil || s.entries.last != nil {
		t.Errorf("%d bytes are left after their time", s.used)
	}
	if !s.ask(t, "project/p0/a", 3000).Recovered || s.ask(t, "project/p3/a", 0).Recovered {
		t.Error("the watermark is not at what aged")
	}
}

func TestNoHistory(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistorySize = 0
	h, s := still(cfg)
	s.put(t, "project/p/a", "1")
	if _, top := h.Position(); top != 0 {
		t.Error("what nobody can hear was given an offset")
	}
	if r := s.ask(t, "project/p/a", 0); r.Recoverable || r.Recovered {
		t.Errorf("%+v", r)
	}
	e := newEar()
	h.Subscribe(&Subscription{Channel: pattern(t, "project/p/a"), To: e}, 1)
	s.drain()
	s.put(t, "project/p/b", "2")
	s.put(t, "project/p/a", "3")
	if len(e.lines) != 1 || len(s.channels) != 1 || len(s.groups) != 1 {
		t.Errorf("heard %v, %d channels, %d groups", e.lines, len(s.channels), len(s.groups))
	}
}

// TestRecoveryNeverLies drives one shard with random steps under tight bounds,
// and asks after each whether every recovery that would be granted is complete.
func TestRecoveryNeverLies(t *testing.T) {
	type published struct {
		channel, group string
		offset         uint64
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		cfg := DefaultConfig()
		cfg.HistorySize, cfg.Channels = 1+r.IntN(4), 1+r.IntN(6)
		cfg.HistoryBytes = 1 << 20
		_, s := still(cfg)
		s.bytes = 300 + r.IntN(2000)
		var truth []published
		subs := map[string]*Subscription{}
		granted, denied := 0, 0
		for range 300 {
			group := fmt.Sprintf("project/p%d", r.IntN(3))
			channel := fmt.Sprintf("%s/t%d", group, r.IntN(3))
			switch n := r.IntN(10); {
			case n < 6:
				s.put(t, channel, "1"+strings.Repeat("0", r.IntN(400)))
				_, top := s.hub.Position()
				truth = append(truth, published{channel, group, top})
			case n < 8:
				if r.IntN(3) == 0 {
					channel = group + "/*"
				}
				if sub := subs[channel]; sub != nil {
					s.hub.Unsubscribe(sub, 1)
					delete(subs, channel)
				} else {
					subs[channel] = &Subscription{Channel: pattern(t, channel), To: newEar()}
					s.hub.Subscribe(subs[channel], 1)
				}
				s.drain()
			case n < 9:
				if s.entries.len > 0 {
					s.drop(s.entries.first.value.channel, byAge)
				}
			default:
				_, top := s.hub.Position()
				since := uint64(r.IntN(int(top) + 1))
				if r.IntN(2) == 0 {
					channel = group + "/*"
				}
				var want []string
				for _, p := range truth {
					if p.offset > since && (p.channel == channel || p.group+"/*" == channel) {
						want = append(want, fmt.Sprintf(`"offset":%d`, p.offset))
					}
				}
				answer := s.ask(t, channel, since)
				if !answer.Recovered {
					denied++
					break
				}
				granted++
				text := string(answer.Publications)
				if strings.Count(text, `"offset":`) != len(want) {
					t.Fatalf("seed %d: %s since %d gave %s, not %v", seed, channel, since, text, want)
				}
				for _, w := range want {
					_, rest, ok := strings.Cut(text, w)
					if !ok {
						t.Fatalf("seed %d: %s since %d lacks %s in order", seed, channel, since, w)
					}
					text = rest
				}
			}
			s.checkInvariants(t)
		}
		if seed == 0 && (granted == 0 || denied == 0) {
			t.Errorf("%d granted, %d denied: the bounds make one of them impossible", granted, denied)
		}
	}
}

// checkInvariants checks that all lists and sums agree.
func (s *shard) checkInvariants(t testing.TB) {
	t.Helper()
	used, entries, last := 0, 0, uint64(0)
	for n := s.entries.first; n != nil; n = n.next {
		e := n.value
		if e.offset <= last || e.offset <= e.channel.dropped {
			t.Fatalf("offset %d after %d, watermark %d", e.offset, last, e.channel.dropped)
		}
		last = e.offset
		used += cap(e.text)
		entries++
	}
	if used != s.used || used > s.bytes {
		t.Fatalf("%d bytes used, %d counted, %d allowed", used, s.used, s.bytes)
	}
	kept, idle := 0, 0
	for name, ch := range s.channels {
		kept += ch.kept
		if ch.kept > s.size || ch.pattern != name || ch.group.channels[ch.place] != ch || s.groups[ch.group.name] != ch.group {
			t.Fatalf("channel %s is not in order", name)
		}
		if ch.idle() == ch.heard() {
			t.Fatalf("channel %s: idle is %t with %d subscribers", name, ch.idle(), len(ch.subs))
		}
		if ch.idle() {
			idle++
		}
	}
	for n := s.idle.first; n != nil; n = n.next {
		idle--
	}
	if s.idle.len > s.maxChannels {
		t.Fatalf("%d idle channels, %d allowed", s.idle.len, s.maxChannels)
	}
	if kept != entries || entries != s.entries.len || idle != 0 {
		t.Fatalf("%d entries in channels, %d in all; idle off by %d", kept, entries, idle)
	}
	for name, g := range s.groups {
		if len(g.channels) == 0 && !g.heard() {
			t.Fatalf("group %s is kept for nothing", name)
		}
	}
}

// TestMustRecover: what cannot be recovered becomes no subscription, and may be
// unsubscribed all the same.
func TestMustRecover(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistorySize = 1
	h, s := still(cfg)
	for range 3 {
		s.put(t, "project/p/a", "1")
	}
	epoch, _ := h.Position()
	for since, want := range map[uint64]bool{1: false, 2: true} {
		for _, channel := range []string{"project/p/a", "project/p/*"} {
			e := newEar()
			sub := &Subscription{Channel: pattern(t, channel), To: e, Recover: true, Epoch: epoch, Offset: since, MustRecover: true}
			h.Subscribe(sub, 1)
			s.drain()
			if e.answers[0].Recovered != want || (sub.fan != nil) != want || s.wanted.Load() != map[bool]int64{true: 1}[want] {
				t.Errorf("%s since %d: %+v, %d wanted", channel, since, e.answers[0], s.wanted.Load())
			}
			s.put(t, "project/q/a", "1")
			h.Unsubscribe(sub, 2)
			s.drain()
			if s.wanted.Load() != 0 || len(e.ended) != 1 {
				t.Errorf("%s since %d: %d wanted, ended %v", channel, since, s.wanted.Load(), e.ended)
			}
		}
	}
}
