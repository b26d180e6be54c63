package router

import (
	"sync"
	"testing"
	"time"

	"horizon-realtime/router/event"
)

func named(id string) *job { return &job{Notification: event.Notification{MessageID: id}} }

// TestTurns: a project's flood is handled in order, but another project's
// notification is next, and gets in although the flood has to wait outside.
func TestTurns(t *testing.T) {
	q := newTurns()
	const n = projectLength + 100
	var want []*job
	for range n {
		want = append(want, named(""))
	}
	var flood sync.WaitGroup
	flood.Go(func() {
		for _, j := range want {
			q.put(j, 1)
		}
	})
	waiting := func() int {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.waiting
	}
	for end := time.Now().Add(10 * time.Second); waiting() < projectLength; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the flood does not come in")
		}
	}
	if q.take(false) != want[0] {
		t.Fatal("not the first of the flood")
	}
	b, c := named("b"), named("c")
	q.put(b, 2)
	q.put(c, 3)
	q.put(named("c2"), 3)
	next := 1
	for i, is := range []*job{nil, b, c, nil, nil} {
		j := q.take(true)
		if i == 4 {
			if j.MessageID != "c2" {
				t.Fatalf("number %d is %q", i, j.MessageID)
			}
			continue
		}
		if is == nil {
			is = want[next]
			next++
		}
		if j != is {
			t.Fatalf("number %d is %q", i, j.MessageID)
		}
		if n := waiting(); n > queueLength {
			t.Fatalf("%d wait", n)
		}
	}
	for ; next < n; next++ {
		if q.take(true) != want[next] {
			t.Fatalf("number %d of the flood is out of order", next)
		}
	}
	flood.Wait()
	if q.take(false) != nil || len(q.lanes) != 0 || q.first != nil || q.last != nil {
		t.Error("something is left")
	}
	ended := make(chan *job)
	go func() { ended <- q.take(true) }()
	q.stop()
	if j := <-ended; j != nil {
		t.Errorf("%v after the end", j)
	}
}

func TestTurnsAllocateNothing(t *testing.T) {
	q := newTurns()
	jobs := make([]*job, 100)
	for i := range jobs {
		jobs[i] = named("")
	}
	turn := func() {
		for i, j := range jobs {
			q.put(j, uint64(i%30))
		}
		for range jobs {
			q.take(true)
		}
	}
	turn()
	if n := testing.AllocsPerRun(100, turn); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
