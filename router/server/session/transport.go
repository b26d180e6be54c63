package session

import (
	"errors"

	"horizon-realtime/router/wire"
)

// ErrSlow is the error of a transport that has more waiting for its client than
// [server] outbox_bytes.
var ErrSlow = errors.New("more is waiting for the client than [server] outbox_bytes")

// Transport carries a session. Its methods do not block, and may be called
// concurrently.
type Transport interface {
	// Name is websocket, http_stream or sse.
	Name() string
	// Send takes one message, which it copies.
	//
	// # Errors
	//
	// ErrSlow, or what the connection says.
	Send(line []byte) error
	// Deliver takes a batch, which it copies.
	//
	// # Errors
	//
	// ErrSlow, or what the connection says.
	Deliver(b *wire.Batch) error
	// Forget drops what waits for a subscription that has ended, as far as it
	// can still be dropped.
	Forget(pattern string)
	// Room is how many more bytes can wait. If empty, nothing waits yet, and one
	// message of any size can.
	Room() (n int, empty bool)
	// Disconnect tells the client why, if it still reads, and ends the
	// connection. Whoever runs the transport then calls Session.End.
	Disconnect(why wire.Disconnect)
}
