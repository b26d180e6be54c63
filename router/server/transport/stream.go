package transport

import (
	"bytes"
	"net"
	"net/http"
	"sync"
	"time"

	"horizon-realtime/router/server/session"
	"horizon-realtime/router/wire"
)

// padding is the length to which white space fills the first line of a stream,
// since some proxies and old browsers hold the first two kilobytes back.
const padding = 2 << 10

// stream is the transport of a session over the body of an HTTP response, as
// lines or as server-sent events. Commands come as requests to /emulation.
// What waits is written by the request's own goroutine.
type stream struct {
	events  bool // server-sent events
	session *session.Session
	slow    *slowRules
	limit   int
	control *http.ResponseController
	wake    chan struct{} // holds a token while there is something to do

	mu      sync.Mutex
	waiting []byte
	backlog *backlog // nil until it is behind
	flying  int      // bytes that are being written
	padded  bool
	closed  bool // nothing more comes
	over    bool // the request is answered, control is not to be used
}

// HTTPStream answers POST …/connection/http_stream, whose body is the first
// commands.
func (t *Transports) HTTPStream(w http.ResponseWriter, r *http.Request) {
	if first, ok := t.body(w, r); ok {
		t.stream(w, r, first, false)
	}
}

// SSE answers GET …/connection/sse, whose query has the first commands. A token is
// among them: nothing may log the URL.
func (t *Transports) SSE(w http.ResponseWriter, r *http.Request) {
	first := r.URL.Query().Get("cf_connect")
	if first == "" || len(first) > t.cfg.FrameBytes {
		http.Error(w, "the query has the connect command in cf_connect", http.StatusBadRequest)
		return
	}
	t.stream(w, r, []byte(first), true)
}

func (t *Transports) stream(w http.ResponseWriter, r *http.Request, first []byte, events bool) {
	s, ok := t.admit(w, r)
	if !ok {
		return
	}
	c := &stream{
		events: events, session: s, slow: t.slow, limit: t.cfg.OutboxBytes,
		control: http.NewResponseController(w), wake: make(chan struct{}, 1),
	}
	c.control.SetReadDeadline(time.Time{}) // the request is read, the answer goes on
	s.Open(c, true)
	defer s.End()
	s.Handle(first)
	if !s.Connected() { // nor can it later: its secret is in the answer to connect
		s.Close(wire.Stale)
	}

	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	if events {
		h.Set("Content-Type", "text/event-stream")
	}
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	c.run(w, r)
}

// run writes what waits until the stream is closed or the client is gone.
func (c *stream) run(w http.ResponseWriter, r *http.Request) {
	defer c.finish()
	var work []byte
	for {
		var more bool
		if work, more = c.take(work); len(work) > 0 {
			if _, err := w.Write(work); err != nil {
				return
			}
			if err := c.control.Flush(); err != nil {
				return
			}
			continue
		}
		if !more {
			return
		}
		select {
		case <-c.wake:
		case <-r.Context().Done():
			return
		}
	}
}

// take exchanges what was written for what waits, and reports whether more can
// come.
func (c *stream) take(written []byte) (work []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 && !c.backlog.empty() {
		c.append(c.backlog.take(nil))
	}
	work = c.waiting
	c.waiting = written[:0]
	if cap(c.waiting) > 4<<10 {
		c.waiting = nil
	}
	c.flying = len(work)
	return work, !c.closed
}

func (c *stream) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed, c.over = true, true
	c.control.SetWriteDeadline(time.Time{})
}

// Name labels metrics.
func (c *stream) Name() string {
	if c.events {
		return "sse"
	}
	return "http_stream"
}

// Send is session.Transport's.
func (c *stream) Send(lines []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.put(lines)
}

// put is Send with mu held.
func (c *stream) put(lines []byte) error {
	if c.closed {
		return net.ErrClosed
	}
	if !c.makeRoom(len(lines)) {
		return session.ErrSlow
	}
	c.append(lines)
	return nil
}

// makeRoom reports whether n more bytes can wait, after dropping what may be
// dropped. Something always fits if nothing waits. It is called with mu held.
func (c *stream) makeRoom(n int) bool {
	waiting := len(c.waiting) + c.flying
	if c.backlog.empty() {
		return waiting == 0 || waiting+n <= c.limit
	}
	return c.backlog.trim(c.limit - waiting - n)
}

// Deliver keeps a batch for later if the client is behind and publications may be
// dropped for that at all.
func (c *stream) Deliver(b *wire.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behind := len(c.waiting)+c.flying > 0 || !c.backlog.empty(); c.closed || !behind || !c.slow.lossy() {
		return c.put(b.Lines())
	}
	if c.backlog == nil {
		c.backlog = &backlog{rules: c.slow}
	}
	c.backlog.add(b)
	c.signal()
	if !c.makeRoom(0) {
		return session.ErrSlow
	}
	return nil
}

// Forget is session.Transport's.
func (c *stream) Forget(pattern string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backlog.forget(pattern)
}

// append adds lines to what waits. It is called with mu held.
func (c *stream) append(lines []byte) {
	start := len(c.waiting)
	for line := range bytes.SplitSeq(lines, []byte{'\n'}) {
		if c.events {
			c.waiting = append(c.waiting, "data: "...)
		}
		c.waiting = append(c.waiting, line...)
		if !c.padded {
			c.padded = true
			c.waiting = append(c.waiting, bytes.Repeat([]byte{' '}, max(0, padding-len(c.waiting)+start))...)
		}
		c.waiting = append(c.waiting, '\n')
		if c.events {
			c.waiting = append(c.waiting, '\n')
		}
	}
	c.signal()
}

func (c *stream) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Room is session.Transport's.
func (c *stream) Room() (n int, empty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := len(c.waiting) + c.flying + c.backlog.size()
	return max(0, c.limit-waiting), waiting == 0
}

// Disconnect has the reason written after what waits, if the client reads it soon.
func (c *stream) Disconnect(why wire.Disconnect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.backlog.clear()
	c.append(wire.DisconnectPush(why))
	c.closed = true
	if !c.over {
		c.control.SetWriteDeadline(time.Now().Add(Linger))
	}
}
