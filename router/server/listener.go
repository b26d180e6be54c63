package server

import (
	"net"
	"sync/atomic"

	"horizon-realtime/router/auth"
)

// socketBuffer bounds what the kernel keeps for a client. It would otherwise grow
// to megabytes for one that stalls.
const socketBuffer = 128 << 10

// listener makes every connection an outbox, and a stranger.
type listener struct {
	net.Listener
	outbox  func(conn net.Conn, address string, onClose func()) net.Conn
	proxies auth.Proxies
	open    atomic.Int64
	closed  func() // counts one less
}

// Accept takes every connection. If there are too many strangers, the oldest of them
// is closed for it.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(socketBuffer)
	}
	return l.outbox(conn, l.address(conn), l.closed), nil
}

// address is what a connection is counted under: nothing if it comes from a proxy,
// which has not yet said for whom.
func (l *listener) address(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil || l.proxies.Contains(host) {
		return ""
	}
	return auth.Network(host)
}
