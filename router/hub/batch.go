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
	count int
}

// Frame is the batch as one websocket text frame, header included.
func (b *Batch) Frame() []byte { return b.buf[b.start:] }

// Lines is the messages, joined by line breaks, without one at the end.
func (b *Batch) Lines() []byte { return b.buf[headRoom:] }

// Len is how many messages there are.
func (b *Batch) Len() int { return b.count }

func (b *Batch) reset() {
	if cap(b.buf) > 4*maxBatch {
		b.buf = nil
	}
	if b.buf == nil {
		b.buf = make([]byte, headRoom, 512)
	}
	b.buf, b.start, b.count = b.buf[:headRoom], headRoom, 0
}

// begin makes room for one more message, to be appended to the result.
func (b *Batch) begin() []byte {
	b.count++
	if b.count > 1 {
		b.buf = append(b.buf, '\n')
	}
	return b.buf
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
