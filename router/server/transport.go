package server

import (
	"errors"

	"horizon-realtime/router/hub"
)

// errSlow is what a transport says that has more waiting for its client than
// [server] outbox_bytes.
var errSlow = errors.New("more is waiting for the client than [server] outbox_bytes")

// transport carries a session. Its methods do not block, and may be called
// concurrently.
type transport interface {
	// name is websocket, http_stream or sse.
	name() string
	// send takes one message, which it copies.
	//
	// # Errors
	//
	// errSlow, or what the connection says.
	send(line []byte) error
	// deliver takes a batch, which it copies.
	//
	// # Errors
	//
	// errSlow, or what the connection says.
	deliver(b *hub.Batch) error
	// forget drops what waits of a pattern that the client does not hear any
	// more, as far as it can still be dropped.
	forget(pattern string)
	// room is how many bytes it can take now.
	room() int
	// close tells the client why, as far as it listens, and ends the
	// connection. Whoever runs the transport then ends the session.
	close(why disconnect)
}
