package server

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/lxzan/gws"

	"horizon-realtime/router/hub"
)

// Write takes one frame. After a close frame it takes no more.
//
// # Errors
//
// errSlow if what waits and the frame are over [server] outbox_bytes, unless it
// is a close frame; net.ErrClosed; what the connection says.
func (c *websocket) Write(frame []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(frame)
}

// write is Write with mu held.
func (c *websocket) write(frame []byte) (int, error) {
	const opcode, closeFrame = 0x0f, 0x08
	if !c.out.async { // the handshake
		return c.Conn.Write(frame)
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	if frame[0]&opcode == closeFrame {
		c.end()
		terminal(frame)
	} else if !c.makeRoom(len(frame)) {
		return 0, errSlow
	}
	return c.Conn.Write(frame)
}

// end takes no more frames. What is held is dropped: the client comes back for
// it, if it comes back. It is called with mu held.
func (c *websocket) end() {
	c.closed = true
	c.backlog.clear()
}

// makeRoom tells whether n more bytes can wait, at the cost of what may be
// dropped. It is called with mu held.
func (c *websocket) makeRoom(n int) bool {
	if c.backlog.empty() {
		return c.out.fits(n)
	}
	return c.backlog.trim(c.out.limit - int(c.out.waiting.Load()) - n)
}

// Close is gws's way of saying that it is done. The goroutine that reads closes
// the connection, when all that waits is sent.
func (c *websocket) Close() error {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	return c.out.SetReadDeadline(time.Unix(1, 0))
}

func (c *websocket) send(line []byte) error { return c.frame(gws.OpcodeText, line) }

// frame writes one frame. gws would too, but closes the connection with a code
// of its own when that is refused.
func (c *websocket) frame(opcode gws.Opcode, payload []byte) error {
	_, err := c.Write(appendFrame(make([]byte, 0, len(payload)+10), opcode, payload))
	return err
}

// appendFrame appends an unmasked, unfragmented frame (RFC 6455, section 5.2).
func appendFrame(dst []byte, opcode gws.Opcode, payload []byte) []byte {
	dst = append(dst, 0x80|byte(opcode))
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// deliver keeps a batch for later if the client is behind, and publications may be
// dropped for that at all.
func (c *websocket) deliver(b *hub.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behind := c.out.waiting.Load() > 0 || !c.backlog.empty(); c.closed || !behind || !c.session.server.lossy {
		frame := b.Frame()
		if c.deflate {
			frame = b.Deflated()
		}
		_, err := c.write(frame)
		return err
	}
	if c.backlog == nil {
		c.backlog = c.session.server.newBacklog()
		c.out.refill = c.refill
	}
	c.backlog.add(b)
	c.out.more()
	if !c.makeRoom(0) {
		return errSlow
	}
	return nil
}

// refill gives the outbox, which is empty, a piece of the backlog.
func (c *websocket) refill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.backlog.empty() {
		return
	}
	lines := c.backlog.take(make([]byte, 0, pieceBytes))
	c.Conn.Write(appendFrame(make([]byte, 0, len(lines)+10), gws.OpcodeText, lines)) // the flusher sees the error
	if !c.backlog.empty() {
		c.out.more()
	}
}

func (c *websocket) forget(pattern string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backlog.forget(pattern)
}

func (c *websocket) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, c.out.limit-int(c.out.waiting.Load())-c.backlog.size())
}

func (c *websocket) close(why disconnect) {
	c.socket.WriteClose(why.code, []byte(why.reason))
}
