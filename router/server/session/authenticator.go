package session

import (
	"context"
	"net/http"
	"strings"
	"unique"

	"horizon-realtime/router/auth"
)

// Authenticator says who a client is. *auth.Authenticator is one.
type Authenticator interface {
	// Authenticate says who sent r with this token.
	//
	// # Errors
	//
	// One that wraps auth.ErrUnauthorized, auth.ErrExpired or
	// auth.ErrUnavailable.
	Authenticate(ctx context.Context, r *http.Request, token string) (*auth.Identity, error)
	// Revalidate checks a connected client's identity again.
	//
	// # Errors
	//
	// As Authenticate's; auth.ErrUnavailable leaves the client as it is.
	Revalidate(ctx context.Context, id *auth.Identity) (*auth.Identity, error)
}

// caller is what an Authenticator needs of a client's request for its later
// tokens. The request itself is several times as large, and would be kept for as
// long as the connection lasts.
type caller struct{ host, address, page, forwarded string }

// maxForwarded bounds how much of X-Forwarded-For is kept, from its end.
const maxForwarded = 256

func callerOf(r *http.Request) *caller {
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	forwarded = forwarded[max(0, len(forwarded)-maxForwarded):]
	return &caller{once(r.Host), r.RemoteAddr, once(auth.OriginOf(r)), strings.Clone(forwarded)}
}

// once is s, in the memory that all sessions with the same one share: most come from
// one page of one host.
func once(s string) string { return unique.Make(s).Value() }

func (c *caller) request() *http.Request {
	r := &http.Request{Host: c.host, RemoteAddr: c.address, Header: http.Header{}}
	if c.page != "" {
		r.Header.Set("Origin", c.page)
	}
	if c.forwarded != "" {
		r.Header.Set("X-Forwarded-For", c.forwarded)
	}
	return r
}
