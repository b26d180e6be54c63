package hub

import (
	"sync"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fair"
)

type verb uint8

const (
	publish verb = iota
	subscribe
	unsubscribe
	inspect
)

// command is one thing for a shard to do.
type command struct {
	Publication // all of it for publish, only its channel for the others
	verb        verb
	id          uint32        // of subscribe and unsubscribe
	sub         *Subscription // of subscribe and unsubscribe
	inspect     func(*View)
	bytes       []byte // holds the key, the data and the project
	// project is Publication.Project of a user's channel. That itself is empty.
	project []byte
}

// item is a command that waits, or will be used again.
type item = fair.Item[command]

// A turn is what a shard does for one group before it does something for
// another: as much as goes into one batch, or so many commands.
const (
	turnBytes    = maxBatch
	turnCommands = 256
)

// maxTurns is how many groups' turns a shard takes at once.
const maxTurns = 64

// maxCommands bounds a queue along with [hub] queue_bytes.
const maxCommands = 16384

// share is the part of a queue that one group may fill, so that others' messages
// still go in while a flood waits: one in so many.
const share = 8

// envelope is about what a message has around its data and its channel's name.
const envelope = 96

// cost is about how many bytes a command puts into a batch. One that may read
// much of a history, or all subscribers, is a turn of its own.
func (c *command) cost() int {
	if c.verb == inspect || c.verb == subscribe && c.sub.Recover {
		return turnBytes
	}
	return len(c.bytes) + len(c.Channel.Name) + envelope
}

func (s *shard) newQueue(maxBytes int) *fair.Queue[command] {
	return fair.New[command](fair.Limits{
		Items: maxCommands, Bytes: maxBytes, Share: share,
		TurnItems: turnCommands, TurnCost: turnBytes,
		Full: func() {
			s.hub.waits.Inc()
			select {
			case s.hurry <- struct{}{}:
			default:
			}
		},
	})
}

// enqueue copies c, with its key, data and project, into the queue. It blocks while the
// queue is full, or its group's share of it.
//
// # Errors
//
// ErrClosed.
func (s *shard) enqueue(group uint64, c *command) error {
	project := c.Project
	if c.Channel.Scope != event.ScopeUser {
		project = ""
	}
	key, data := len(c.Key), len(c.Key)+len(c.Data) // where they end
	i := s.pool.get(data + len(project))
	kept := &i.Value
	bytes := append(append(append(kept.bytes, c.Key...), c.Data...), project...)
	*kept = *c
	kept.bytes, kept.Key, kept.Data, kept.project = bytes, bytes[:key], bytes[key:data], bytes[data:]
	kept.Project = ""
	i.Bytes, i.Cost = len(bytes), kept.cost()
	if !s.queue.Put(group, i) {
		return ErrClosed
	}
	return nil
}

// pool is commands to use again, by the size of their bytes.
type pool struct {
	maxBytes int

	mu    sync.Mutex
	items [32][]*item
	bytes int
}

// get returns an item with room for n bytes.
func (p *pool) get(n int) *item {
	class := slabClass(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.items[class]) - 1
	if last < 0 {
		return &item{Value: command{bytes: make([]byte, 0, 1<<class)}}
	}
	i := p.items[class][last]
	p.items[class] = p.items[class][:last]
	p.bytes -= cap(i.Value.bytes)
	return i
}

// keep takes back turns that are done, and drops what they point to.
func (p *pool) keep(turns []*item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, i := range turns {
		for turns[n] = nil; i != nil; i = i.Next() {
			bytes := i.Value.bytes
			i.Value = command{bytes: bytes[:0]}
			if p.bytes+cap(bytes) <= p.maxBytes {
				p.bytes += cap(bytes)
				class := slabClass(cap(bytes))
				p.items[class] = append(p.items[class], i)
			}
		}
	}
}
