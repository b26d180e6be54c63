// Package auth says who a client is, and keeps both doors of the tenancy: what
// an identity may hear, and where a filter may send a notification.
//
// In: a token (a one-use ticket, a JWT, a Keystone token, or none) with the HTTP
// request it came on; notifications from Keystone. Out: an Identity, or one of
// three errors a client can act on; a yes or a Refusal for each channel.
// Callers: server authenticates connections and asks MayHear before each
// subscription, the router asks MayEmit before each publication and hands
// identity.* notifications to Affected. The package imports only event.
package auth
