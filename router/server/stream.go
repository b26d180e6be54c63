package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"horizon-realtime/router/hub"
)

// padding is how long the first line of a stream is made with white space, since
// some proxies and old browsers hold the first two kilobytes back.
const padding = 2 << 10

// stream is the transport of a session over the body of an HTTP response, as
// lines or as server-sent events. Commands come as requests to /emulation.
// What waits is written by the request's own goroutine.
type stream struct {
	events  bool // server-sent events
	session *session
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

// streamLines answers POST …/connection/http_stream, whose body is the first
// commands.
func (s *Server) streamLines(w http.ResponseWriter, r *http.Request) {
	first, err := s.body(w, r)
	if err != nil {
		bodyError(w, err)
		return
	}
	s.stream(w, r, first, false)
}

// streamEvents answers GET …/connection/sse, whose query has the first commands.
// A token is among them: nothing may log the URL.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	first := r.URL.Query().Get("cf_connect")
	if first == "" || len(first) > s.cfg.FrameBytes {
		http.Error(w, "the query has the connect command in cf_connect", http.StatusBadRequest)
		return
	}
	s.stream(w, r, []byte(first), true)
}

// body reads what a client sends in one request, within the bounds of a frame.
//
// # Errors
//
// *http.MaxBytesError, or what the connection says.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.cfg.FrameBytes)))
}

func bodyError(w http.ResponseWriter, err error) {
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		http.Error(w, "the body is over [server] frame_bytes", http.StatusRequestEntityTooLarge)
		return
	}
	http.Error(w, "cannot read the body", http.StatusBadRequest)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, first []byte, events bool) {
	session, ok := s.admit(w, r)
	if !ok {
		return
	}
	c := &stream{
		events: events, session: session, limit: s.cfg.OutboxBytes,
		control: http.NewResponseController(w), wake: make(chan struct{}, 1),
	}
	c.control.SetReadDeadline(time.Time{}) // the request is read, the answer goes on
	session.transport, session.secret = c, newID()
	session.schedule()
	s.add(session)
	defer session.end()
	session.handle(first)

	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	if events {
		h.Set("Content-Type", "text/event-stream")
	}
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	c.run(w, r)
}

// run writes what comes until the stream is closed or the client is gone.
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

// take exchanges what was written for what waits, and tells whether more can
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

func (c *stream) name() string {
	if c.events {
		return "sse"
	}
	return "http_stream"
}

func (c *stream) send(lines []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.put(lines)
}

// put is send with mu held.
func (c *stream) put(lines []byte) error {
	if c.closed {
		return net.ErrClosed
	}
	if !c.makeRoom(len(lines)) {
		return errSlow
	}
	c.append(lines)
	return nil
}

// makeRoom tells whether n more bytes can wait, at the cost of what may be
// dropped. Something always fits if nothing waits. It is called with mu held.
func (c *stream) makeRoom(n int) bool {
	waiting := len(c.waiting) + c.flying
	if c.backlog.empty() {
		return waiting == 0 || waiting+n <= c.limit
	}
	return c.backlog.trim(c.limit - waiting - n)
}

// deliver keeps a batch for later if the client is behind, and publications may be
// dropped for that at all.
func (c *stream) deliver(b *hub.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if behind := len(c.waiting)+c.flying > 0 || !c.backlog.empty(); c.closed || !behind || !c.session.server.lossy {
		return c.put(b.Lines())
	}
	if c.backlog == nil {
		c.backlog = c.session.server.newBacklog()
	}
	c.backlog.add(b)
	c.signal()
	if !c.makeRoom(0) {
		return errSlow
	}
	return nil
}

func (c *stream) forget(pattern string) {
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

func (c *stream) room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, c.limit-len(c.waiting)-c.flying-c.backlog.size())
}

// close has the reason written behind what waits, if the client takes it soon.
func (c *stream) close(why disconnect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.backlog.clear()
	c.append(disconnectPush(why))
	c.closed = true
	if !c.over {
		c.control.SetWriteDeadline(time.Now().Add(linger))
	}
}

// emulate answers POST …/emulation: commands of a session whose transport goes
// one way only. The client tells sessions of a stopped server by the 404.
func (s *Server) emulate(w http.ResponseWriter, r *http.Request) {
	b, err := s.body(w, r)
	if err != nil {
		bodyError(w, err)
		return
	}
	var request struct {
		Session string `json:"session"`
		Node    string `json:"node"`
		Data    string `json:"data"`
	}
	if err := json.Unmarshal(b, &request); err != nil {
		http.Error(w, "the body is an object with session, node and data", http.StatusBadRequest)
		return
	}
	if request.Node != s.node {
		http.Error(w, "this is not the server that the session is on", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	session := s.streams[request.Session]
	s.mu.Unlock()
	if session != nil {
		session.handle([]byte(request.Data))
	}
	w.WriteHeader(http.StatusNoContent)
}
