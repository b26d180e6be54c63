// Package fair is a bounded queue in which many share one consumer. What waits
// stands in lanes, one per project or group of channels: in order within a lane,
// while the lanes take turns, so that one's flood does not delay the others.
//
// In: items, from any goroutine; Put blocks while the queue is full, or the lane's
// share of it. Out: turns, for the one goroutine that takes them. Callers: router,
// with a queue per worker, and hub, with one per shard. Neither side allocates:
// items are the caller's, to be used again, and lanes are kept.
package fair

import "sync"

// Item is something that waits. The caller makes it, and gets it back from Take.
type Item[T any] struct {
	Value T
	// Bytes count towards Limits.Bytes, and Cost towards Limits.TurnCost.
	Bytes, Cost int

	next *Item[T]
}

// Next is the item behind this one in the same turn, or nil.
func (i *Item[T]) Next() *Item[T] { return i.next }

// Limits bound a queue.
type Limits struct {
	// Items and Bytes bound what waits. A single item always fits.
	Items, Bytes int
	// Share is the part of both that one lane may fill: one in so many.
	Share int
	// TurnItems and TurnCost bound a turn, which has at least one item.
	TurnItems, TurnCost int
	// Full, if not nil, is called once for each Put that has to wait. It must not
	// block or call the queue.
	Full func()
}

// Queue is the lanes that something waits in. Any goroutine may call Put and
// Close; one goroutine takes.
type Queue[T any] struct {
	limits Limits
	wake   chan struct{}

	mu           sync.Mutex
	room         sync.Cond
	lanes        map[uint64]*Item[lane[T]]
	turns        list[lane[T]] // the same lanes in the order of their turns
	items, bytes int
	closed       bool
	spare        *Item[lane[T]] // lanes to use again
}

// lane is what waits of one key.
type lane[T any] struct {
	key          uint64
	waiting      list[T]
	items, bytes int
}

// list is items linked from first to last.
type list[T any] struct{ first, last *Item[T] }

func (l *list[T]) push(i *Item[T]) {
	if i.next = nil; l.last != nil {
		l.last.next = i
	} else {
		l.first = i
	}
	l.last = i
}

// cut removes everything up to and including i.
func (l *list[T]) cut(i *Item[T]) {
	if l.first, i.next = i.next, nil; l.first == nil {
		l.last = nil
	}
}

// New makes an empty queue.
func New[T any](limits Limits) *Queue[T] {
	q := &Queue[T]{limits: limits, wake: make(chan struct{}, 1), lanes: map[uint64]*Item[lane[T]]{}}
	q.room.L = &q.mu
	return q
}

// Put appends an item to the lane of key, and reports false if the queue is
// closed.
func (q *Queue[T]) Put(key uint64, i *Item[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[key]
	if q.full(l, i.Bytes) {
		if q.limits.Full != nil {
			q.limits.Full()
		}
		for q.full(l, i.Bytes) {
			q.room.Wait()
			l = q.lanes[key]
		}
	}
	if q.closed {
		return false
	}
	if l == nil {
		l = q.open(key)
	}
	l.Value.waiting.push(i)
	l.Value.items++
	l.Value.bytes += i.Bytes
	q.items++
	q.bytes += i.Bytes
	if q.items == 1 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// full reports whether n more bytes for a lane, nil for a new one, have to wait.
func (q *Queue[T]) full(l *Item[lane[T]], n int) bool {
	if q.closed || q.items == 0 {
		return false
	}
	if q.items >= q.limits.Items || q.bytes+n > q.limits.Bytes {
		return true
	}
	return l != nil && (l.Value.items >= q.limits.Items/q.limits.Share || l.Value.bytes+n > q.limits.Bytes/q.limits.Share)
}

// open makes the lane of key, the last to have a turn.
func (q *Queue[T]) open(key uint64) *Item[lane[T]] {
	l := q.spare
	if l != nil {
		q.spare = l.next
	} else {
		l = new(Item[lane[T]])
	}
	l.Value = lane[T]{key: key}
	q.lanes[key] = l
	q.turns.push(l)
	return l
}

// Wake holds a token once something waits in a queue that was empty, and is
// closed by Close. Take may empty the queue first, so the token promises nothing.
func (q *Queue[T]) Wake() <-chan struct{} { return q.wake }

// Take appends the next turns of at most n lanes to turns, and reports whether
// more waits. A turn is items linked by Next.
func (q *Queue[T]) Take(turns []*Item[T], n int) (_ []*Item[T], more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n = min(n, len(q.lanes)); n > 0; n-- {
		turns = append(turns, q.turn())
	}
	q.room.Broadcast()
	return turns, q.items > 0
}

// Work calls do with every item, in turns, until the queue is closed and empty. It
// calls idle, if that is not nil, before it waits. do may put the item into a queue
// again.
func (q *Queue[T]) Work(do func(*Item[T]), idle func()) {
	turns := make([]*Item[T], 0, 1)
	for open := true; ; {
		turns, _ = q.Take(turns[:0], 1)
		switch {
		case len(turns) > 0:
			for i := turns[0]; i != nil; {
				next := i.next
				do(i)
				i = next
			}
		case !open:
			return
		default:
			if idle != nil {
				idle()
			}
			_, open = <-q.wake
		}
	}
}

// turn removes the first turn of the first lane. What is left of the lane waits
// behind the others.
func (q *Queue[T]) turn() *Item[T] {
	l := q.turns.first
	q.turns.cut(l)
	first := l.Value.waiting.first
	last, items, bytes, cost := first, 1, first.Bytes, first.Cost
	for i := first.next; i != nil && items < q.limits.TurnItems; i = i.next {
		if cost += i.Cost; cost > q.limits.TurnCost {
			break
		}
		last = i
		items++
		bytes += i.Bytes
	}
	l.Value.waiting.cut(last)
	l.Value.items -= items
	l.Value.bytes -= bytes
	q.items -= items
	q.bytes -= bytes
	if l.Value.items > 0 {
		q.turns.push(l)
		return first
	}
	delete(q.lanes, l.Value.key)
	l.next, q.spare = q.spare, l
	return first
}

// Waiting is how many items wait.
func (q *Queue[T]) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items
}

// Close refuses what comes from now on. What waits can still be taken.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.wake)
		q.room.Broadcast()
	}
}
