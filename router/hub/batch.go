package hub

import "encoding/binary"

// headRoom is the longest header of a websocket frame that a server sends: two
// bytes and a length of eight. Servers do not mask.
const headRoom = 10

// maxBatch is where messages stop being joined. It is well below the limits
// that client libraries put on a message.
const maxBatch = 32 << 10

// Batch is one or more messages of one channel, encoded once for all of its
// subscribers. It belongs to the shard, which uses it again: a subscriber
// copies what it cannot send before Deliver returns.
type Batch struct {
	buf   []byte // headRoom, then the messages joined by line breaks
	start int    // where the frame begins
	marks []mark // of each message
	// pattern is what all subscribers subscribed to.
	pattern string
}

// mark is where a message ends in a batch's buffer, and what it is about.
type mark struct {
	end     int
	channel string
	key     []byte // in the work of the shard, which outlasts the batch's delivery
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

// Frame is the batch as one websocket text frame, header included.
func (b *Batch) Frame() []byte { return b.buf[b.start:] }

// Lines is the messages, joined by line breaks, without one at the end.
func (b *Batch) Lines() []byte { return b.buf[headRoom:] }

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
	return Message{Line: b.buf[start:m.end], Channel: m.channel, Key: m.key}
}

func (b *Batch) reset() {
	if cap(b.buf) > 4*maxBatch {
		b.buf = nil
	}
	if b.buf == nil {
		b.buf = make([]byte, headRoom, 512)
	}
	clear(b.marks)
	b.buf, b.start, b.marks = b.buf[:headRoom], headRoom, b.marks[:0]
}

// add appends one message.
func (b *Batch) add(p *Publication, concrete string, body []byte) {
	if len(b.marks) > 0 {
		b.buf = append(b.buf, '\n')
	}
	b.buf = appendPush(b.buf, b.pattern, concrete, body)
	b.marks = append(b.marks, mark{len(b.buf), p.Channel.Name, p.Key})
}

// seal writes the header in front of the messages.
func (b *Batch) seal() {
	const finText, length16, length64 = 0x81, 126, 127
	n := len(b.buf) - headRoom
	switch {
	case n < length16:
		b.start = headRoom - 2
		b.buf[b.start+1] = byte(n)
	case n < 1<<16:
		b.start = headRoom - 4
		b.buf[b.start+1] = length16
		binary.BigEndian.PutUint16(b.buf[b.start+2:], uint16(n))
	default:
		b.start = headRoom - 10
		b.buf[b.start+1] = length64
		binary.BigEndian.PutUint64(b.buf[b.start+2:], uint64(n))
	}
	b.buf[b.start] = finText
}
