package transport

import (
	"net"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"horizon-realtime/router/server/session"
	"horizon-realtime/router/wire"
)

// websocket is the transport of a session over a websocket, and the connection
// that gws writes to: whole frames, one in each Write, its own as well as ours.
type websocket struct {
	net.Conn   // the outbox, or TLS on top of it
	transports *Transports
	out        *outbox
	socket     *gws.Conn
	session    *session.Session

	mu      sync.Mutex
	backlog *backlog // nil until it is behind
	closed  bool     // the last frame is written
	deflate bool     // what it is sent may be compressed
}

// Name labels metrics.
func (c *websocket) Name() string { return "websocket" }

// Write takes one frame. After a close frame it takes no more.
//
// # Errors
//
// session.ErrSlow if what waits and the frame are over [server] outbox_bytes, unless it
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
		correctClose(frame)
	} else if !c.makeRoom(len(frame)) {
		return 0, session.ErrSlow
	}
	return c.Conn.Write(frame)
}

// end takes no more frames. What is held is dropped: the client comes back for
// it, if it comes back. It is called with mu held.
func (c *websocket) end() {
	c.closed = true
	c.backlog.clear()
}

// makeRoom reports whether n more bytes can wait, after dropping what may be
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

// Send is session.Transport's.
func (c *websocket) Send(line []byte) error { return c.frame(gws.OpcodeText, line) }

// frame writes one frame. gws would too, but closes the connection with a code
// that differs from ours if the frame is refused.
func (c *websocket) frame(opcode gws.Opcode, payload []byte) error {
	_, err := c.Write(wire.AppendFrame(make([]byte, 0, len(payload)+10), byte(opcode), payload))
	return err
}

// Deliver keeps a batch for later if the client is behind and publications may be
// dropped for that at all.
func (c *websocket) Deliver(b *wire.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behind := c.out.waiting.Load() > 0 || !c.backlog.empty(); c.closed || !behind || !c.transports.slow.lossy() {
		frame := b.Frame()
		if c.deflate {
			frame = b.Deflated()
		}
		_, err := c.write(frame)
		return err
	}
	if c.backlog == nil {
		c.backlog = &backlog{rules: c.transports.slow}
		c.out.refill = c.refill
	}
	c.backlog.add(b)
	c.out.more()
	if !c.makeRoom(0) {
		return session.ErrSlow
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
	c.Conn.Write(wire.AppendFrame(make([]byte, 0, len(lines)+10), byte(gws.OpcodeText), lines)) // the flusher sees the error
	if !c.backlog.empty() {
		c.out.more()
	}
}

// Forget is session.Transport's.
func (c *websocket) Forget(pattern string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backlog.forget(pattern)
}

// Room is session.Transport's.
func (c *websocket) Room() (n int, empty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := int(c.out.waiting.Load()) + c.backlog.size()
	return max(0, c.out.limit-waiting), waiting == 0
}

// Disconnect is session.Transport's.
func (c *websocket) Disconnect(why wire.Disconnect) {
	c.socket.WriteClose(why.Code, []byte(why.Reason))
}
