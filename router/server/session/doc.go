// Package session is the clients that are connected, whatever they came over:
// who each one is, what it has subscribed to, what it may still ask, and when
// its time is up.
//
// In: commands from a transport (Session.Handle), and batches and answers from
// the hub, which knows a session as a hub.Subscriber. Out: lines and batches to
// the session's Transport, subscriptions to the hub. Callers: server admits
// sessions and ends them all, transports carry them. A session knows its
// transport only as the interface Transport.
package session
