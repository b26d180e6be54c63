package hub

import (
	"slices"
	"sync"
	"testing"
)

// TestOffsetsAreTimes: an offset is the time, or one more than all before, and none is
// drawn at or below a position that was told.
func TestOffsetsAreTimes(t *testing.T) {
	now := uint64(0)
	l := newLocal(nil)
	l.now = func() uint64 { return now }
	position := func() uint64 { _, at := l.Position(); return at }
	var got []uint64
	for _, at := range []uint64{0, 100, 100, 100, 50, 200} {
		now = at
		got = append(got, l.Draw())
	}
	got = append(got, position(), l.Draw())
	now = 300
	got = append(got, position(), position(), l.Draw())
	if want := []uint64{1, 100, 101, 102, 103, 200, 200, 201, 300, 300, 301}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

// TestOffsetsDoNotCount: how many publications other projects have does not show in one
// project's offsets.
func TestOffsetsDoNotCount(t *testing.T) {
	_, s := still(DefaultConfig())
	now := uint64(0)
	s.hub.events.(*local).now = func() uint64 { return now }
	e := newEar()
	e.subscribeNow(s, "project/p/a")
	for _, others := range []int{0, 10, 1000} {
		now += 1000
		s.put(t, "project/p/a", "1")
		for range others {
			s.put(t, "project/q/a", "1")
			now++
		}
		now += uint64(4000 - others)
	}
	if got := e.offsets(t); !slices.Equal(got, []uint64{1000, 6000, 11000}) {
		t.Errorf("%v", got)
	}
}

// TestOffsetsOfManyShards: no two are alike, and each shard's rise.
func TestOffsetsOfManyShards(t *testing.T) {
	l := newLocal(nil)
	lists := make([][]uint64, 4)
	var shards sync.WaitGroup
	for i := range lists {
		shards.Go(func() {
			for range 10_000 {
				lists[i] = append(lists[i], l.Draw())
			}
		})
	}
	shards.Wait()
	for i, list := range lists {
		if !slices.IsSorted(list) {
			t.Errorf("those of shard %d do not rise", i)
		}
	}
	all := slices.Sorted(slices.Values(slices.Concat(lists...)))
	if n := len(all); len(slices.Compact(all)) != n || all[0] == 0 {
		t.Error("an offset was drawn twice, or is 0")
	}
}
