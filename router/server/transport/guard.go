package transport

import (
	"encoding/binary"
	"errors"
	"io"
)

// errReserved is the error of a frame with a reserved bit set.
var errReserved = errors.New("a reserved bit is set")

// frameGuard passes on what a client sends, and refuses a frame with a reserved bit
// that has no meaning there. Where compression is negotiated gws checks none:
// then the first bit marks a compressed message, on its first frame only (RFC
// 7692, section 6), and the others stay reserved (RFC 6455, section 5.2).
type frameGuard struct {
	from   io.Reader
	refuse func() // called once

	header  [14]byte
	have    int    // bytes of the header so far
	payload uint64 // bytes of the payload still to come
	err     error
}

func (g *frameGuard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.from.Read(p)
	if !g.check(p[:n]) {
		g.refuse()
		g.err = errReserved
		return 0, g.err
	}
	return n, err
}

// check follows the frames, and reports whether their reserved bits are as they
// must be.
func (g *frameGuard) check(p []byte) bool {
	for len(p) > 0 {
		if g.payload > 0 {
			n := min(g.payload, uint64(len(p)))
			g.payload -= n
			p = p[n:]
			continue
		}
		g.header[g.have] = p[0]
		g.have++
		p = p[1:]
		if g.have == 1 && !mayBegin(g.header[0]) {
			return false
		}
		g.endHeader()
	}
	return true
}

// mayBegin reports whether a frame may begin with this byte, as far as its reserved
// bits go.
func mayBegin(first byte) bool {
	const compressed, reserved, opcode = 0x40, 0x30, 0x0f
	const text, binary = 1, 2
	if first&reserved != 0 {
		return false
	}
	return first&compressed == 0 || first&opcode == text || first&opcode == binary
}

// endHeader begins the payload if the header is complete.
func (g *frameGuard) endHeader() {
	const mask, length16, length64 = 0x80, 126, 127
	if g.have < 2 {
		return
	}
	length, size := uint64(g.header[1]&^mask), 2
	switch length {
	case length16:
		length, size = uint64(binary.BigEndian.Uint16(g.header[2:])), 4
	case length64:
		length, size = binary.BigEndian.Uint64(g.header[2:]), 10
	}
	if g.header[1]&mask != 0 {
		size += 4
	}
	if g.have == size {
		g.have, g.payload = 0, length
	}
}
