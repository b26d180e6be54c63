package rabbit

import (
	"bufio"
	"io"
	"net"
	"time"
)

// readAhead is how much is read from a socket at once, in bytes.
const readAhead = 64 << 10

// wire is a socket as the client library gets it: without deadlines of its own,
// which the library would have another goroutine move for each frame, three times
// a message. Instead each read from the socket gives the broker so long to say
// something; its heartbeats come twice in an interval.
type wire struct {
	io.Reader
	io.WriteCloser
}

func newWire(socket net.Conn, heartbeat time.Duration) wire {
	return wire{bufio.NewReaderSize(&impatient{socket, heartbeat * 3 / 2}, readAhead), socket}
}

// impatient is a socket whose reads fail after so long.
type impatient struct {
	socket net.Conn
	limit  time.Duration
}

func (r *impatient) Read(p []byte) (int, error) {
	if err := r.socket.SetReadDeadline(time.Now().Add(r.limit)); err != nil {
		return 0, err
	}
	return r.socket.Read(p)
}
