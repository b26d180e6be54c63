// Package transport carries sessions: over websockets, and over two fallbacks for
// where those do not pass, a streamed HTTP response and server-sent events, whose
// commands come as requests of their own.
//
// In: HTTP requests from server's listener, and what sessions send. Out: frames
// and lines to the client, commands to the session. Callers: server routes
// requests here; sessions call Send, Deliver and Close. A client that does not
// read costs a bounded buffer (outbox.go); then it is cut off or, if [server] slow
// says so, sent less (backlog.go).
package transport
