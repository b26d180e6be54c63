package hub

import "encoding/binary"

// headRoom is the longest header of a websocket frame that a server sends: two
// bytes and a length of eight. Servers do not mask.
const headRoom = 10

// The first byte of a frame that is a whole text message (RFC 6455, section
// 5.2), and of one that is compressed (RFC 7692, section 6).
const (
	finText         = 0x81
	finTextDeflated = 0xc1
)

// frame is a buffer in which a websocket frame is made: headRoom, then the
// payload, in front of which the header is written at last.
type frame struct {
	buf   []byte
	start int // where the header begins
}

// reset empties the buffer and makes sure that there is one, not too large.
func (f *frame) reset() {
	if cap(f.buf) > 4*maxBatch {
		f.buf = nil
	}
	if f.buf == nil {
		f.buf = make([]byte, headRoom, 512)
	}
	f.buf, f.start = f.buf[:headRoom], headRoom
}

// Write appends to the payload.
func (f *frame) Write(p []byte) (int, error) {
	f.buf = append(f.buf, p...)
	return len(p), nil
}

func (f *frame) payload() []byte { return f.buf[headRoom:] }

// bytes is the frame, once it is sealed.
func (f *frame) bytes() []byte { return f.buf[f.start:] }

// seal writes the header in front of the payload.
func (f *frame) seal(first byte) {
	const length16, length64 = 126, 127
	n := len(f.payload())
	switch {
	case n < length16:
		f.start = headRoom - 2
		f.buf[f.start+1] = byte(n)
	case n < 1<<16:
		f.start = headRoom - 4
		f.buf[f.start+1] = length16
		binary.BigEndian.PutUint16(f.buf[f.start+2:], uint16(n))
	default:
		f.start = headRoom - 10
		f.buf[f.start+1] = length64
		binary.BigEndian.PutUint64(f.buf[f.start+2:], uint64(n))
	}
	f.buf[f.start] = first
}
