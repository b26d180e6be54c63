// Package server lets browsers and other clients hear the hub. It speaks the
// JSON form of the Centrifuge protocol, so that the official client libraries
// work unmodified, over websockets and two fallbacks for where those do not
// pass: a streamed HTTP response and server-sent events.
//
// In: connections on [server] listen, commands in them, and batches from the
// hub. Out: replies and pushes. A client that cannot keep up costs a bounded
// buffer; then it is let go, or sent less where [server] slow says so
// (backlog.go). Callers: router makes, runs and drains it. A session
// (session.go) is a client, whatever it came over; a transport carries it.
package server
