package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"horizon-realtime/router/server/session"
)

// Linger is how long a closed connection has to take what still waits for it,
// above all the reason why it was closed.
const Linger = 3 * time.Second

// outbox is a connection whose Write does not wait, once it is async: it gives the
// socket what it takes and keeps the rest for a flusher, a goroutine that exists
// only while there is a rest. Before that it is an ordinary connection, for the
// HTTP server to use. Whoever writes asks fits first, and so bounds it.
//
// Any number of goroutines may use it. What one Write is given stays together.
type outbox struct {
	net.Conn
	raw   syscall.RawConn // nil if the socket cannot be reached: all is left to the flusher
	limit int
	// flushers counts the goroutines, for whoever waits for them to end
	flushers *sync.WaitGroup
	waiting  atomic.Int64 // bytes the socket did not take yet
	onClose  func()       // may be nil
	place    *session.Place
	// refill, set before more is first called, is called by the flusher after
	// that: it writes what there is room for, and calls more if there is a rest.
	refill func()

	mu   sync.Mutex
	rest [][]byte // in pieces, which are never moved, so that a rest that grows leaves no garbage
	// in one word, since there are many outboxes
	async    bool // set before there are several writers
	flushing bool
	hungry   bool // refill is to be called
	closed   atomic.Bool
	err      error
	done     chan struct{} // closed by the flusher as it ends, if somebody waits for that

	// what attempt is to write, and what came of it
	attempt func(fd uintptr)
	now     []byte
	wrote   int
	failure syscall.Errno
}

func newOutbox(conn net.Conn, limit int, flushers *sync.WaitGroup) *outbox {
	o := &outbox{Conn: conn, limit: limit, flushers: flushers}
	if sc, ok := conn.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			o.raw, o.attempt = raw, o.writeSocket
		}
	}
	return o
}

// fits reports whether n more bytes can wait. Something always fits into an empty
// outbox.
func (o *outbox) fits(n int) bool {
	waiting := int(o.waiting.Load())
	return waiting == 0 || waiting+n <= o.limit
}

// Write is net.Conn's, except that it never waits once the outbox is async.
func (o *outbox) Write(p []byte) (int, error) {
	if !o.async {
		return o.Conn.Write(p)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n := 0
	if !o.flushing && o.raw != nil {
		if n = o.try(p); o.err != nil || n == len(p) {
			return n, o.err
		}
	}
	o.keep(p[n:])
	if !o.flushing {
		o.flushing = true
		o.flushers.Go(o.flush)
	}
	return len(p), nil
}

// piece is how much is kept, and written, at a time.
const piece = 64 << 10

// keep adds to the rest. A short one takes little more than it needs: many
// connections may have one at the same time.
func (o *outbox) keep(p []byte) {
	waiting := o.waiting.Add(int64(len(p)))
	if last := len(o.rest) - 1; last >= 0 {
		n := min(len(p), cap(o.rest[last])-len(o.rest[last]))
		o.rest[last] = append(o.rest[last], p[:n]...)
		p = p[n:]
	}
	if len(p) > 0 {
		size := max(len(p), int(min(waiting, piece)))
		o.rest = append(o.rest, append(make([]byte, 0, size), p...))
	}
}

// more has the flusher call refill once the socket has taken what waits.
func (o *outbox) more() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hungry = true
	if !o.flushing && o.err == nil {
		o.flushing = true
		o.flushers.Go(o.flush)
	}
}

// try gives the socket what it takes at once.
func (o *outbox) try(p []byte) int {
	o.now, o.wrote, o.failure = p, 0, 0
	// Control and not Write, which first checks in memory that is cold by now
	// whether the descriptor is ready: a twentieth of a delivery.
	err := o.raw.Control(o.attempt)
	o.now = nil
	if err == nil && o.failure != 0 {
		err = o.failure
	}
	o.err = err
	return o.wrote
}

// writeSocket is called with the socket's descriptor, which does not block.
func (o *outbox) writeSocket(fd uintptr) {
	for {
		n, err := syscall.Write(int(fd), o.now)
		switch err {
		case nil:
			o.wrote = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			o.failure = err.(syscall.Errno)
		}
		return
	}
}

// flush writes what waits, and ends when nothing does.
func (o *outbox) flush() {
	for {
		o.mu.Lock()
		if len(o.rest) == 0 && o.err == nil && o.hungry {
			o.hungry = false
			o.mu.Unlock()
			o.refill()
			continue
		}
		if len(o.rest) == 0 || o.err != nil {
			o.rest, o.flushing = nil, false
			if o.done != nil {
				close(o.done)
				o.done = nil
			}
			o.mu.Unlock()
			return
		}
		part := o.rest[0]
		o.rest[0] = nil
		o.rest = o.rest[1:]
		o.mu.Unlock()
		for len(part) > 0 {
			n, err := o.Conn.Write(part[:min(len(part), piece)])
			part = part[n:]
			o.waiting.Add(-int64(n))
			if err != nil {
				o.mu.Lock()
				o.err = err
				o.mu.Unlock()
				break
			}
		}
	}
}

// settle returns when nothing waits any more, or when Linger is over. It reports
// whether the other side was sent everything.
func (o *outbox) settle() bool {
	o.Conn.SetWriteDeadline(time.Now().Add(Linger))
	o.mu.Lock()
	var done chan struct{}
	if o.flushing {
		done = make(chan struct{})
		o.done = done
	}
	o.mu.Unlock()
	if done != nil {
		<-done
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err == nil
}

// Close closes the socket at once. Closing twice is closing once.
func (o *outbox) Close() error {
	if o.closed.Swap(true) {
		return nil
	}
	o.place.Leave()
	if o.onClose != nil {
		o.onClose()
	}
	return o.Conn.Close()
}

// hangUp ends the connection so that the other side can read all that it was
// sent: a socket that is closed with something unread in it makes the kernel
// reset the connection, and the peer lose the reason.
func (o *outbox) hangUp() {
	defer o.Close()
	half, ok := o.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	o.Conn.SetReadDeadline(time.Now().Add(Linger))
	var scrap [512]byte
	for total := 0; total < 256<<10; {
		n, err := o.Conn.Read(scrap[:])
		if err != nil {
			return
		}
		total += n
	}
}
