// Package auth authenticates clients and guards both doors of the tenancy: what
// an identity may hear, and where a plugin may send what it made of a
// notification.
//
// In: a token (a one-use ticket, a JWT, a Keystone token, or none) with the HTTP
// request that brought it; Keystone's notifications. Out: an Identity, or one of
// three errors that a client can act on; nil or a Refusal for each channel.
// Callers: the server authenticates connections and calls MayHear before each
// subscription; the router calls MayEmit before each publication and hands
// identity.* notifications to Revocation.
//
// A token's way: authenticator.go chooses by its shape (token.go) who checks it:
// ticket.go, jwt.go, anonymous.go, or for Keystone cache.go remembers, source.go and
// question.go decide whether and when to ask, and keystone.go asks.
package auth
