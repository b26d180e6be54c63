package hub

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/event"
)

type verb uint8

const (
	publish verb = iota
	subscribe
	unsubscribe
	look
)

// command is one thing for a shard to do. A publication's key and data are in
// the arena of the buffer that the command is in.
type command struct {
	verb    verb
	removed bool
	id      uint32        // of subscribe and unsubscribe
	sub     *Subscription // of subscribe and unsubscribe
	channel event.Channel
	look    func(*View)
	at      time.Time
	key     span
	data    span
}

type span struct{ from, to int }

// buffer is a run of commands and the bytes of their publications.
type buffer struct {
	commands []command
	arena    []byte
}

func (b *buffer) copy(p []byte) span {
	from := len(b.arena)
	b.arena = append(b.arena, p...)
	return span{from, len(b.arena)}
}

func (b *buffer) publication(c *command) Publication {
	return Publication{
		Channel: c.channel,
		Key:     b.arena[c.key.from:c.key.to],
		Data:    b.arena[c.data.from:c.data.to],
		Removed: c.removed,
		At:      c.at,
	}
}

// reset empties the buffer and lets go of what its commands pointed to.
func (b *buffer) reset() {
	clear(b.commands)
	b.commands, b.arena = b.commands[:0], b.arena[:0]
}

// maxCommands bounds a queue along with [hub] queue_bytes.
const maxCommands = 16384

// queue is what waits for a shard: any goroutine puts in, the shard takes all
// there is at once by swapping two buffers.
type queue struct {
	wake     chan struct{} // holds one token while there is something to take
	hurry    chan struct{} // is given a token when there is no room
	maxBytes int
	waits    prometheus.Counter

	mu     sync.Mutex
	room   sync.Cond
	in     buffer
	closed bool
}

func newQueue(maxBytes int, waits prometheus.Counter) *queue {
	q := &queue{wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), maxBytes: maxBytes, waits: waits}
	q.room.L = &q.mu
	return q
}

// put blocks while the queue is full.
//
// # Errors
//
// ErrClosed.
func (q *queue) put(c command, key, data []byte) error {
	q.mu.Lock()
	if q.full(len(key) + len(data)) {
		q.waits.Inc()
		signal(q.hurry)
		for q.full(len(key) + len(data)) {
			q.room.Wait()
		}
	}
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	if c.verb == publish {
		c.key, c.data = q.in.copy(key), q.in.copy(data)
	}
	first := len(q.in.commands) == 0
	q.in.commands = append(q.in.commands, c)
	q.mu.Unlock()
	if first {
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

func (q *queue) full(n int) bool {
	if q.closed || len(q.in.commands) == 0 {
		return false
	}
	return len(q.in.commands) >= maxCommands || len(q.in.arena)+n > q.maxBytes
}

// take exchanges b, which must be empty, for all that waits. It tells whether
// there was anything.
func (q *queue) take(b *buffer) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	*b, q.in = q.in, *b
	q.room.Broadcast()
	return len(b.commands) > 0
}

// close refuses what comes from now on; what is in can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.room.Broadcast()
}
