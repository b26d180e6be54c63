package server

import (
	"net"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// socketBuffer bounds what the kernel keeps for a client. It would otherwise grow
// to megabytes for one that stalls.
const socketBuffer = 128 << 10

// handshakes is how many connections there may be beyond [server]
// max_connections: those that have not yet said what they want.
const handshakes = 1024

// listener makes every connection an outbox, and bounds how many there are.
type listener struct {
	net.Listener
	limit   int64
	outbox  func(conn net.Conn, onClose func()) net.Conn
	open    atomic.Int64
	refused prometheus.Counter
}

// Accept closes connections over the bound at once.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.limit {
			l.open.Add(-1)
			l.refused.Inc()
			conn.Close()
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetWriteBuffer(socketBuffer)
		}
		return l.outbox(conn, func() { l.open.Add(-1) }), nil
	}
}
