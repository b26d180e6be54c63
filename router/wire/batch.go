package wire

import "strings"

// Batch is one or more publications of one subscription, encoded once for all of
// its subscribers. It belongs to the shard of the hub that fills it, and is used
// again: a subscriber copies what it cannot send before Deliver returns.
type Batch struct {
	plain  frame // the messages joined by line breaks
	packed frame // the same, compressed
	marks  []mark
	// tried reports whether packed was made, smaller whether it is worth sending.
	tried, smaller bool
	pattern        string // what all subscribers subscribed to
	wildcard       bool   // it stands for several channels
}

// mark is where a message ends in a batch's frame, and what it is about.
type mark struct {
	end     int
	channel string
	key     []byte
}

// Message is one message of a batch.
type Message struct {
	// Line is the JSON text.
	Line []byte
	// Channel is the concrete channel.
	Channel string
	// Key is the publication's. It may be empty.
	Key []byte
}

// Reset empties the batch, for subscribers to pattern.
func (b *Batch) Reset(pattern string) {
	clear(b.marks)
	b.marks = b.marks[:0]
	b.plain.reset()
	b.tried = false
	b.pattern, b.wildcard = pattern, strings.HasSuffix(pattern, "/*")
}

// Add appends one message. body is what AppendBody made, and key must stay as it
// is until the batch is delivered. A wildcard's subscribers are told the channel
// in a tag.
func (b *Batch) Add(channel string, key, body []byte) {
	if len(b.marks) > 0 {
		b.plain.buf = append(b.plain.buf, '\n')
	}
	concrete := ""
	if b.wildcard {
		concrete = channel
	}
	b.plain.buf = appendPush(b.plain.buf, b.pattern, concrete, body)
	b.marks = append(b.marks, mark{len(b.plain.buf), channel, key})
}

// Seal makes the batch ready to be delivered.
func (b *Batch) Seal() { b.plain.seal(finText) }

// Frame is the batch as one websocket text frame, header included.
func (b *Batch) Frame() []byte { return b.plain.bytes() }

// Lines is the messages, joined by line breaks, without one at the end.
func (b *Batch) Lines() []byte { return b.plain.payload() }

// Size is how many bytes the messages take so far.
func (b *Batch) Size() int { return len(b.plain.payload()) }

// Len is how many messages there are.
func (b *Batch) Len() int { return len(b.marks) }

// Pattern is what the batch's subscribers subscribed to.
func (b *Batch) Pattern() string { return b.pattern }

// Message is the i-th message, for a subscriber that cannot be sent all of them.
func (b *Batch) Message(i int) Message {
	start := headRoom
	if i > 0 {
		start = b.marks[i-1].end + 1
	}
	m := &b.marks[i]
	return Message{Line: b.plain.buf[start:m.end], Channel: m.channel, Key: m.key}
}
