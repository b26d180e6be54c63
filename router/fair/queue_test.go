package fair

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"horizon-realtime/router/testwait"
)

func limits() Limits { return Limits{Items: 40, Bytes: 4000, Share: 2, TurnItems: 1, TurnCost: 100} }

func item(value string) *Item[string] { return &Item[string]{Value: value} }

// take takes one turn.
func take(q *Queue[string]) (values []string) {
	turns, _ := q.Take(nil, 1)
	if len(turns) > 0 {
		for i := turns[0]; i != nil; i = i.Next() {
			values = append(values, i.Value)
		}
	}
	return values
}

func wantTurns(t *testing.T, q *Queue[string], want ...[]string) {
	t.Helper()
	for n, w := range want {
		if got := take(q); !slices.Equal(got, w) {
			t.Errorf("turn %d is %q, not %q", n, got, w)
		}
	}
	if n := q.Waiting(); n > 0 {
		t.Errorf("%d items are left", n)
	}
}

func TestLanesTakeTurns(t *testing.T) {
	q := New[string](limits())
	for _, put := range []struct {
		key   uint64
		value string
	}{{1, "a1"}, {1, "a2"}, {1, "a3"}, {2, "b1"}, {3, "c1"}, {3, "c2"}} {
		q.Put(put.key, item(put.value))
	}
	wantTurns(t, q, []string{"a1"}, []string{"b1"}, []string{"c1"}, []string{"a2"}, []string{"c2"}, []string{"a3"}, nil)
}

// TestTurnIsBounded: by items, by cost, and never empty.
func TestTurnIsBounded(t *testing.T) {
	l := limits()
	l.TurnItems = 3
	q := New[string](l)
	for _, i := range []*Item[string]{
		{Value: "1"}, {Value: "2"}, {Value: "3"}, // three items
		{Value: "4", Cost: 60}, {Value: "5", Cost: 40}, // a cost of 100
		{Value: "6", Cost: 1000}, // over it alone
		{Value: "7", Cost: 1},
	} {
		q.Put(1, i)
	}
	wantTurns(t, q, []string{"1", "2", "3"}, []string{"4", "5"}, []string{"6"}, []string{"7"})
}

// TestTakesOneTurnEach: a Take of several turns has at most one of each lane.
func TestTakesOneTurnEach(t *testing.T) {
	q := New[string](limits())
	for _, key := range []uint64{1, 1, 2, 3} {
		q.Put(key, item(""))
	}
	var turns []*Item[string]
	for _, want := range []struct {
		turns int
		more  bool
	}{{2, true}, {2, false}, {0, false}} {
		var more bool
		if turns, more = q.Take(turns[:0], 2); len(turns) != want.turns || more != want.more {
			t.Errorf("%d turns, more: %t", len(turns), more)
		}
	}
}

// TestFloodLeavesRoom: a lane's flood waits outside at its share, by items or by
// bytes, while others still come in, until the queue as a whole is full.
func TestFloodLeavesRoom(t *testing.T) {
	for name, c := range map[string]struct {
		bytes       int // of each item
		share, room int // items of a lane, and of the queue
	}{"items": {0, 20, 40}, "bytes": {400, 5, 10}} {
		t.Run(name, func(t *testing.T) {
			var waits atomic.Int32
			l := limits()
			l.Full = func() { waits.Add(1) }
			q := New[string](l)
			var puts sync.WaitGroup
			put := func(key uint64, n int) {
				puts.Go(func() {
					for range n {
						if !q.Put(key, &Item[string]{Bytes: c.bytes}) {
							t.Error("refused")
						}
					}
				})
			}
			put(1, c.share+3)
			testwait.Until(t, "the flood waits", func() bool { return waits.Load() == 1 })
			if n := q.Waiting(); n != c.share {
				t.Fatalf("%d items of the flood are in, not %d", n, c.share)
			}
			for key := range uint64(c.room - c.share) {
				q.Put(2+key, &Item[string]{Bytes: c.bytes})
			}
			put(1000, 1)
			testwait.Until(t, "all wait", func() bool { return waits.Load() == 2 })
			if n := q.Waiting(); n != c.room {
				t.Fatalf("%d items are in, not %d", n, c.room)
			}
			for taken := 0; taken < c.room+4; {
				taken += len(take(q))
				if n := q.Waiting(); n > c.room {
					t.Fatalf("%d items are in", n)
				}
			}
			puts.Wait()
			if len(q.lanes) != 0 || q.turns.first != nil || q.turns.last != nil || q.items != 0 || q.bytes != 0 {
				t.Error("something is left")
			}
		})
	}
}

// TestASingleItemFits: whatever its size, so that no publisher waits for ever.
func TestASingleItemFits(t *testing.T) {
	q := New[string](limits())
	q.Put(1, &Item[string]{Value: "huge", Bytes: 1 << 20})
	wantTurns(t, q, []string{"huge"})
}

func TestCloseEndsWaitsAndKeepsWhatIsIn(t *testing.T) {
	l := limits()
	full := make(chan struct{})
	l.Full = func() { close(full) }
	q := New[string](l)
	for range l.Items / l.Share {
		q.Put(1, item("kept"))
	}
	refused := make(chan bool)
	go func() { refused <- !q.Put(1, item("late")) }()
	testwait.Receive(t, "the wait for room", full)
	<-q.Wake() // the token of the first item
	q.Close()
	q.Close()
	if !testwait.Receive(t, "the answer to the waiting one", refused) || q.Put(2, item("later")) {
		t.Error("a closed queue takes something")
	}
	for range l.Items / l.Share {
		if got := take(q); !slices.Equal(got, []string{"kept"}) {
			t.Fatalf("took %q", got)
		}
	}
	if _, open := <-q.Wake(); open || q.Waiting() > 0 {
		t.Error("not the end")
	}
}

// TestWake: a consumer that takes until nothing is left and then waits for a
// token gets everything.
func TestWake(t *testing.T) {
	q := New[string](limits())
	const puts, each = 4, 2000
	var all sync.WaitGroup
	for key := range uint64(puts) {
		all.Go(func() {
			for range each {
				q.Put(key, item(""))
			}
		})
	}
	done := make(chan int)
	go func() {
		taken := 0
		for open := true; open; _, open = <-q.Wake() {
			for n := -1; n != 0; taken += n {
				n = len(take(q))
			}
		}
		done <- taken
	}()
	all.Wait()
	q.Close()
	if n := testwait.Receive(t, "the end", done); n != puts*each {
		t.Errorf("took %d", n)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	q := New[string](Limits{Items: 1000, Bytes: 1000, Share: 1, TurnItems: 1})
	items := make([]*Item[string], 100)
	for n := range items {
		items[n] = item("")
	}
	turns := make([]*Item[string], 0, 1)
	pass := func() {
		for n, i := range items {
			q.Put(uint64(n%30), i)
		}
		for range items {
			turns, _ = q.Take(turns[:0], 1)
		}
	}
	pass()
	if n := testing.AllocsPerRun(100, pass); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkQueue is an item in and out again, of one of so many lanes.
func BenchmarkQueue(b *testing.B) {
	q := New[string](Limits{Items: 1000, Bytes: 1000, Share: 1, TurnItems: 1})
	items := make([]*Item[string], 100)
	for n := range items {
		items[n] = item("")
		q.Put(uint64(n%30), items[n])
	}
	turns := make([]*Item[string], 0, 1)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		turns, _ = q.Take(turns[:0], 1)
		q.Put(uint64(n%30), turns[0])
	}
}
