package transport

import (
	"container/list"

	"horizon-realtime/router/wire"
)

// heldCost is about how many bytes a held message costs besides its own.
const heldCost = 384

// pieceBytes is how much of a backlog is given to a connection at a time. The
// rest stays where later messages can still supersede it.
const pieceBytes = 16 << 10

// held is one message that waits for a client that is behind.
type held struct {
	line    []byte
	pattern string
	about   resource // a later message about the same one supersedes it; zero: none does
	place   *list.Element
	// droppable is its place among those that may be dropped; nil: it may not.
	droppable *list.Element
}

// resource is what a message is about: of those to one subscription about one
// resource, a conflated channel needs only the latest.
type resource struct{ pattern, channel, key string }

func (m *held) cost() int { return len(m.line) + len(m.about.key) + heldCost }

// backlog is the publications that wait for a client that is behind, one by one,
// so that some can be dropped. The newest of each pattern stays, and says how
// many were dropped before it. A transport makes a backlog when it first needs
// one, and guards it by its own lock. A nil backlog is empty.
type backlog struct {
	rules   *slowRules
	bytes   int
	all     list.List        // of *held, oldest first
	loose   list.List        // those of all that may be dropped
	last    map[string]*held // by pattern
	missing map[string]int   // dropped since the last one sent, by pattern
	latest  map[resource]*held
}

// add holds the messages of a batch, and conflates.
func (l *backlog) add(b *wire.Batch) {
	if l.last == nil {
		l.last, l.missing, l.latest = map[string]*held{}, map[string]int{}, map[resource]*held{}
	}
	for i := range b.Len() {
		m := b.Message(i)
		h := &held{line: append([]byte(nil), m.Line...), pattern: b.Pattern()}
		h.place = l.all.PushBack(h)
		l.last[h.pattern] = h
		policy := l.rules.of(m.Channel)
		if policy != disconnectSlow {
			h.droppable = l.loose.PushBack(h)
		}
		if policy == conflate && len(m.Key) > 0 {
			h.about = resource{h.pattern, m.Channel, string(m.Key)}
			if old := l.latest[h.about]; old != nil {
				l.remove(old)
				l.rules.conflated.Inc()
			}
			l.latest[h.about] = h
		}
		l.bytes += h.cost()
	}
}

// trim drops the oldest messages that may be dropped until at most room bytes are
// held. It reports whether that was enough.
func (l *backlog) trim(room int) bool {
	for e := l.loose.Front(); e != nil && l.bytes > room; {
		h := e.Value.(*held)
		e = e.Next()
		if l.last[h.pattern] != h {
			l.missing[h.pattern]++
			l.remove(h)
			l.rules.dropped.Inc()
		}
	}
	return l.bytes <= room
}

func (l *backlog) remove(h *held) {
	l.all.Remove(h.place)
	if h.droppable != nil {
		l.loose.Remove(h.droppable)
	}
	if l.last[h.pattern] == h {
		delete(l.last, h.pattern)
	}
	if l.latest[h.about] == h {
		delete(l.latest, h.about)
	}
	l.bytes -= h.cost()
	if l.empty() {
		l.clear()
	}
}

// take appends the oldest messages, joined by line breaks, and holds them no more:
// about pieceBytes, but at least one message if there is any.
func (l *backlog) take(dst []byte) []byte {
	for start := len(dst); !l.empty(); {
		h := l.all.Front().Value.(*held)
		if n := len(dst) - start; n > 0 {
			if n+len(h.line) > pieceBytes {
				break
			}
			dst = append(dst, '\n')
		}
		if skipped := l.missing[h.pattern]; skipped > 0 {
			dst = wire.AppendSkipped(dst, h.line, skipped)
			delete(l.missing, h.pattern)
		} else {
			dst = append(dst, h.line...)
		}
		l.remove(h)
	}
	return dst
}

// forget drops what is held for a subscription that has ended.
func (l *backlog) forget(pattern string) {
	if l.empty() {
		return
	}
	for e := l.all.Front(); e != nil; {
		h := e.Value.(*held)
		e = e.Next()
		if h.pattern == pattern {
			l.remove(h)
		}
	}
	delete(l.missing, pattern)
}

// clear drops everything, and frees the memory.
func (l *backlog) clear() {
	if l != nil {
		*l = backlog{rules: l.rules}
	}
}

func (l *backlog) empty() bool { return l == nil || l.all.Len() == 0 }

// size is how many bytes are held.
func (l *backlog) size() int {
	if l == nil {
		return 0
	}
	return l.bytes
}
