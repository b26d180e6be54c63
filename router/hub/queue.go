package hub

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

type verb uint8

const (
	publish verb = iota
	subscribe
	unsubscribe
	look
)

// command is one thing for a shard to do.
type command struct {
	Publication // all of it for publish, only its channel for the others
	verb        verb
	id          uint32        // of subscribe and unsubscribe
	sub         *Subscription // of subscribe and unsubscribe
	look        func(*View)
	bytes       []byte // where the key and the data are
	next        *command
}

// A turn is what a shard does for one group before it does something for
// another: as much as goes into one batch, or so many commands.
const (
	turnBytes    = maxBatch
	turnCommands = 256
)

// envelope is about what a message has around its data and its channel's name.
const envelope = 96

// size is about what a command puts into a batch. One that may read much of a
// history, or all subscribers, is a turn of its own.
func (c *command) size() int {
	if c.look != nil || c.sub != nil && c.sub.Recover && c.verb == subscribe {
		return turnBytes
	}
	return len(c.bytes) + len(c.Channel.Name) + envelope
}

// maxTurns is how many groups' turns a shard takes at once.
const maxTurns = 64

// maxCommands bounds a queue along with [hub] queue_bytes.
const maxCommands = 16384

// share is the part of a queue that one group may fill, so that others' messages
// still go in while a flood waits: one in so many.
const share = 8

// lane is what waits of one group, in order.
type lane struct {
	group           uint64
	first, last     *command
	commands, bytes int
	next            *lane // whose turn is after
}

// queue is what waits for a shard. Any goroutine puts in; the shard takes the
// next turn of each group.
type queue struct {
	wake     chan struct{} // holds one token while there is something to take
	hurry    chan struct{} // is given a token when there is no room
	maxBytes int
	waits    prometheus.Counter

	mu              sync.Mutex
	room            sync.Cond
	lanes           map[uint64]*lane // those with something in them, by group
	first, last     *lane            // in the order of their turns
	commands, bytes int
	closed          bool
	// What is used again: commands by the size of their bytes, and lanes.
	spare      [32]*command
	spareBytes int
	spareLanes *lane
}

func newQueue(maxBytes int, waits prometheus.Counter) *queue {
	q := &queue{
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		maxBytes: maxBytes, waits: waits, lanes: map[uint64]*lane{},
	}
	q.room.L = &q.mu
	return q
}

// put blocks while the queue is full, or its group's share of it. It copies c, with
// its key and data.
//
// # Errors
//
// ErrClosed.
func (q *queue) put(group uint64, c *command) error {
	n := len(c.Key) + len(c.Data)
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[group]
	if q.full(l, n) {
		q.waits.Inc()
		signal(q.hurry)
		for q.full(l, n) {
			q.room.Wait()
			l = q.lanes[group]
		}
	}
	if q.closed {
		return ErrClosed
	}
	if l == nil {
		l = q.open(group)
	}
	kept := q.command(n)
	bytes := append(append(kept.bytes, c.Key...), c.Data...)
	*kept = *c
	kept.bytes, kept.Key, kept.Data = bytes, bytes[:len(c.Key)], bytes[len(c.Key):]
	if l.last != nil {
		l.last.next = kept
	} else {
		l.first = kept
	}
	l.last = kept
	l.commands++
	l.bytes += n
	q.commands++
	q.bytes += n
	if q.commands == 1 {
		signal(q.wake)
	}
	return nil
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// full tells whether n more bytes for a lane, nil for a new one, have to wait.
// Something always fits where nothing is.
func (q *queue) full(l *lane, n int) bool {
	if q.closed || q.commands == 0 {
		return false
	}
	if q.commands >= maxCommands || q.bytes+n > q.maxBytes {
		return true
	}
	return l != nil && (l.commands >= maxCommands/share || l.bytes+n > q.maxBytes/share)
}

// open makes the lane of a group, the last to have a turn.
func (q *queue) open(group uint64) *lane {
	l := q.spareLanes
	if l != nil {
		q.spareLanes = l.next
	} else {
		l = new(lane)
	}
	*l = lane{group: group}
	q.lanes[group] = l
	q.append(l)
	return l
}

func (q *queue) append(l *lane) {
	if l.next = nil; q.last != nil {
		q.last.next = l
	} else {
		q.first = l
	}
	q.last = l
}

// command gives one with room for n bytes.
func (q *queue) command(n int) *command {
	class := slabClass(n)
	c := q.spare[class]
	if c == nil {
		return &command{bytes: make([]byte, 0, 1<<class)}
	}
	q.spare[class] = c.next
	q.spareBytes -= cap(c.bytes)
	return c
}

// keep takes a command back that is done, and lets go of what it points to.
func (q *queue) keep(c *command) {
	if q.spareBytes+cap(c.bytes) > q.maxBytes {
		return
	}
	q.spareBytes += cap(c.bytes)
	class := slabClass(cap(c.bytes))
	*c = command{bytes: c.bytes[:0], next: q.spare[class]}
	q.spare[class] = c
}

// take gives the next turn of each group, of at most maxTurns, in work, whose
// turns it takes back, done. It tells whether more waits. A turn is commands
// linked by next.
func (q *queue) take(work []*command) (turns []*command, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, c := range work {
		for c != nil {
			next := c.next
			q.keep(c)
			c = next
		}
		work[i] = nil
	}
	turns = work[:0]
	for n := min(len(q.lanes), maxTurns); n > 0; n-- {
		turns = append(turns, q.turn())
	}
	q.room.Broadcast()
	return turns, q.commands > 0
}

// turn takes the first turn of the first lane, which then waits behind the
// others, if anything of it is left.
func (q *queue) turn() *command {
	l := q.first
	if q.first = l.next; q.first == nil {
		q.last = nil
	}
	first, last := l.first, l.first
	commands, bytes, size := 1, len(first.bytes), first.size()
	for c := last.next; c != nil && commands < turnCommands; c = c.next {
		if size += c.size(); size > turnBytes {
			break
		}
		last = c
		commands++
		bytes += len(c.bytes)
	}
	l.first, last.next = last.next, nil
	l.commands -= commands
	l.bytes -= bytes
	q.commands -= commands
	q.bytes -= bytes
	if l.first != nil {
		q.append(l)
		return first
	}
	delete(q.lanes, l.group)
	*l = lane{next: q.spareLanes}
	q.spareLanes = l
	return first
}

// close refuses what comes from now on; what is in can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.room.Broadcast()
}
