package hub

import (
	"math/bits"
	"time"
)

// entry is one publication in the history. It is in its channel's list, and in the
// shard's list of all entries; both are in the order of offsets.
type entry struct {
	offset  uint64
	at      time.Duration // since the shard began
	text    []byte        // the project, and what wire.AppendBody made
	body    int           // where that begins
	channel *channel
	newer   *entry // in the channel
	inShard node[entry]
}

// history is the bounded memory of a shard. Only the shard's goroutine uses it.
type history struct {
	size  int // entries per channel
	ttl   time.Duration
	bytes int // bound of used

	used    int // capacity of all texts
	entries list[entry]

	free  []*entry // to use again
	slabs [32][][]byte
	spare int // capacity of all slabs
}

// dropReason is why an entry was dropped, the label of a metric.
type dropReason uint8

const (
	bySize dropReason = iota
	byAge
	byBytes
	byChannels
	dropReasons
)

var dropNames = [dropReasons]string{"size", "age", "bytes", "channels"}

func (h *history) on() bool { return h.size > 0 }

// heard reports whether the publication is for subscribers in a project.
func (e *entry) heard(project string) bool {
	return e.body == 0 || string(e.text[:e.body]) == project
}

// add appends a publication to its channel. project is that of a publication in a
// user's channel. The caller has made room.
func (h *history) add(ch *channel, offset uint64, at time.Duration, project, body []byte) {
	if len(h.free) == 0 {
		h.free = append(h.free, new(entry))
	}
	last := len(h.free) - 1
	e := h.free[last]
	h.free = h.free[:last]
	e.offset, e.at, e.channel = offset, at, ch
	e.text, e.body = append(append(h.slab(len(project)+len(body)), project...), body...), len(project)
	h.used += cap(e.text)
	h.entries.push(&e.inShard, e)
	if ch.kept == 0 {
		ch.oldest = e
	} else {
		ch.newest.newer = e
	}
	ch.newest = e
	ch.kept++
}

// drop removes the oldest entry of a channel and raises the watermark to it.
func (h *history) drop(ch *channel) {
	e := ch.oldest
	ch.oldest = e.newer
	ch.kept--
	ch.dropped = e.offset
	h.entries.remove(&e.inShard)
	h.used -= cap(e.text)
	h.keepSlab(e.text)
	e.text, e.channel, e.newer = nil, nil, nil
	h.free = append(h.free, e)
}

// slab returns an empty slice with room for n bytes. Its capacity is a power of two.
func (h *history) slab(n int) []byte {
	class := slabClass(n)
	if list := h.slabs[class]; len(list) > 0 {
		s := list[len(list)-1]
		h.slabs[class] = list[:len(list)-1]
		h.spare -= cap(s)
		return s[:0]
	}
	return make([]byte, 0, 1<<class)
}

// keepSlab takes a slab back, unless much is spare already.
func (h *history) keepSlab(s []byte) {
	if h.spare+cap(s) > h.bytes/8 {
		return
	}
	class := slabClass(cap(s))
	h.slabs[class] = append(h.slabs[class], s)
	h.spare += cap(s)
}

func slabClass(n int) int { return bits.Len(uint(max(n, 64) - 1)) }
