package wire

import "encoding/binary"

// MaxBatch is the size, in bytes, at which messages stop being joined. It is well
// below the limits that client libraries put on a message.
const MaxBatch = 32 << 10

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
// payload. The header is written last, in front of the payload.
type frame struct {
	buf   []byte
	start int // where the header begins
}

// reset empties the buffer, and replaces one that is missing or too large.
func (f *frame) reset() {
	if cap(f.buf) > 4*MaxBatch {
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
	var room [headRoom]byte
	header := appendHeader(room[:0], first, len(f.payload()))
	f.start = headRoom - len(header)
	copy(f.buf[f.start:], header)
}

// AppendFrame appends an unmasked, unfragmented frame of one opcode (RFC 6455,
// section 5.2).
func AppendFrame(dst []byte, opcode byte, payload []byte) []byte {
	const fin = 0x80
	return append(appendHeader(dst, fin|opcode, len(payload)), payload...)
}

// appendHeader appends the header of an unmasked frame whose payload has n
// bytes.
func appendHeader(dst []byte, first byte, n int) []byte {
	const length16, length64 = 126, 127
	switch {
	case n < length16:
		return append(dst, first, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, first, length16), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, length64), uint64(n))
	}
}
