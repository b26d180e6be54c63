package server

import (
	"errors"

	"horizon-realtime/router/auth"
)

// replyError is an error in a reply. Its text is all that a client learns.
type replyError struct {
	code      int
	message   string
	temporary bool // the client may try again
}

// The errors of the protocol that this server gives.
var (
	errInternal          = &replyError{100, "internal server error", true}
	errUnknownChannel    = &replyError{102, "unknown channel", false}
	errPermissionDenied  = &replyError{103, "permission denied", false}
	errMethodNotFound    = &replyError{104, "method not found", false}
	errAlreadySubscribed = &replyError{105, "already subscribed", false}
	errLimitExceeded     = &replyError{106, "limit exceeded", false}
	errBadRequest        = &replyError{107, "bad request", false}
	errNotAvailable      = &replyError{108, "not available", false}
	errTokenExpired      = &replyError{109, "token expired", false}
	errTooManyRequests   = &replyError{111, "too many requests", true}
	errUnrecoverable     = &replyError{112, "unrecoverable position", false}
)

// disconnect is why a connection is ended: the code and the reason a client is
// given. After 3000 to 3499 a client comes back, after 3500 to 3999 it does not.
type disconnect struct {
	code   uint16
	reason string
}

// The endings of the protocol that this server gives.
var (
	closedByClient  = disconnect{0, "the client went"}
	shutdown        = disconnect{3001, "shutdown"}
	expired         = disconnect{3005, "connection expired"}
	slow            = disconnect{3008, "slow"}
	writeError      = disconnect{3009, "write error"}
	noPong          = disconnect{3012, "no pong"}
	tooManyRequests = disconnect{3013, "too many requests"}
	invalidToken    = disconnect{3500, "invalid token"}
	badRequest      = disconnect{3501, "bad request"}
	stale           = disconnect{3502, "stale"}
	connectionLimit = disconnect{3504, "connection limit"}
)

// refusal turns an error of the Authenticator into what a client is told.
func refusal(err error) (*replyError, disconnect) {
	switch {
	case errors.Is(err, auth.ErrExpired):
		return errTokenExpired, expired
	case errors.Is(err, auth.ErrUnauthorized):
		return nil, invalidToken
	}
	return errInternal, disconnect{}
}
