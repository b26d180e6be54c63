package hub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

// offsets are those of all that an ear has heard of, in order.
func (e *ear) offsets(t *testing.T) (list []uint64) {
	t.Helper()
	type publication struct{ Offset uint64 }
	for _, r := range e.answers {
		var recovered []publication
		if err := json.Unmarshal([]byte("["+string(r.Publications)+"]"), &recovered); err != nil {
			t.Fatal(err)
		}
		for _, p := range recovered {
			list = append(list, p.Offset)
		}
	}
	for _, line := range e.lines {
		var m struct{ Push struct{ Pub publication } }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m.Push.Pub.Offset)
	}
	return list
}

func from1(to uint64) (list []uint64) {
	for n := uint64(1); n <= to; n++ {
		list = append(list, n)
	}
	return list
}

// TestRecoveryInPieces has a client with little room, and that takes what it is given
// slowly, recover much while more is published.
func TestRecoveryInPieces(t *testing.T) {
	for _, channel := range []string{"project/p/a", "project/p/*", "user/u/a", "user/u/*"} {
		t.Run(channel, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.HistorySize = 1000
			h, s := still(cfg)
			name := strings.ReplaceAll(channel, "*", "a")
			for range 100 {
				s.put(t, name, `"`+strings.Repeat("x", 1000)+`"`)
			}
			e := newEar()
			e.room, e.hoards = 5000, true
			epoch, _ := h.Position()
			sub := &Subscription{Channel: pattern(t, channel), Project: "p", To: e, Recover: true, Epoch: epoch}
			h.Subscribe(sub, 1)
			s.drain()
			if r := e.answers[0]; !r.Recovered || r.Offset != 0 {
				t.Fatalf("%+v", r)
			}
			first := len(e.offsets(t))
			e.room = 0
			s.put(t, name, `"live"`)
			s.catchUp()
			if got := e.offsets(t); first != 4 || len(got) != first {
				t.Fatalf("heard %v without room for it", got)
			}
			others := newEar()
			others.subscribeNow(s, channel)
			for pieces := 0; s.behind.len > 0; pieces++ {
				if pieces == 20 {
					t.Fatalf("heard %v in 20 pieces", e.offsets(t))
				}
				s.put(t, name, `"live"`)
				e.room = 20_000
				s.catchUp()
			}
			s.put(t, name, `"live"`)
			_, top := h.Position()
			if got := e.offsets(t); !slices.Equal(got, from1(top)) {
				t.Errorf("heard %v", got)
			}
			if got := others.offsets(t); uint64(len(got)) != top-101 {
				t.Errorf("another heard %v", got)
			}
			h.Unsubscribe(sub, 2)
			s.drain()
			if s.put(t, name, `"late"`); len(e.offsets(t)) != int(top) || e.lost > 0 {
				t.Error("heard something after the end")
			}
		})
	}
}

func (e *ear) subscribeNow(s *shard, channel string) {

	c, _ := event.ParsePattern(channel)
	s.hub.Subscribe(&Subscription{Channel: c, Project: "p", To: e}, 1)
	s.drain()
}

// TestOneLargePublication is given to a client that nothing waits for, whatever its
// room is.
func TestOneLargePublication(t *testing.T) {
	h, s := still(DefaultConfig())
	for range 3 {
		s.put(t, "project/p/a", `"`+strings.Repeat("x", 100_000)+`"`)
	}
	e := newEar()
	e.room = 32 << 10
	epoch, _ := h.Position()
	h.Subscribe(&Subscription{Channel: pattern(t, "project/p/a"), To: e, Recover: true, Epoch: epoch}, 1)
	s.drain()
	for n := 0; s.behind.len > 0 && n < 3; n++ {
		s.catchUp()
	}
	if got := e.offsets(t); !slices.Equal(got, from1(3)) {
		t.Errorf("heard %v", got)
	}
}

// TestBehindAndGone: whoever is behind is told when the history drops what it was to be
// given, and leaves nothing behind, whether it waits or was told.
func TestBehindAndGone(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.HistorySize = 10
			h, s := still(cfg)
			for range 10 {
				s.put(t, "project/p/a", "1")
			}
			e := newEar()
			e.room, e.hoards = 50, true
			epoch, _ := h.Position()
			sub := &Subscription{Channel: pattern(t, "project/p/a"), To: e, Recover: true, Epoch: epoch}
			h.Subscribe(sub, 1)
			s.drain()
			if lost {
				for range 10 {
					s.put(t, "project/p/a", "1")
				}
				s.catchUp()
			}
			if wanted := map[bool]int{true: 1}[lost]; e.lost != wanted || s.behind.len != 1-wanted {
				t.Errorf("told %d times of a loss; %d are behind", e.lost, s.behind.len)
			}
			if s.channels["project/p/a"].idle() {
				t.Error("its channel may be forgotten")
			}
			h.Unsubscribe(sub, 2)
			s.drain()
			if ch := s.channels["project/p/a"]; s.behind.len > 0 || s.wanted.Load() > 0 || !ch.idle() || ch.heard() || len(e.ended) != 1 {
				t.Errorf("%d are behind, %d wanted, idle %t", s.behind.len, s.wanted.Load(), ch.idle())
			}
		})
	}
}
