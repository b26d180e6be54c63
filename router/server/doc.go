// Package server lets browsers and other clients hear the hub. It listens, decides
// who may connect, and ends all connections when the router stops. It speaks the
// JSON form of the Centrifuge protocol (package wire), so that the official client
// libraries work unmodified.
//
// In: connections on [server] listen. Out: requests to transport, which carries
// the clients, and sessions to package session, which is what they may do.
// Callers: router makes, runs and drains it.
package server
