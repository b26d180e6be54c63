package wire

// Error is an error in a reply. Its message is all that a client learns.
type Error struct {
	Code      int
	Message   string
	Temporary bool // the client may try again
}

// The errors of the protocol that this server gives.
var (
	ErrInternal          = &Error{100, "internal server error", true}
	ErrUnknownChannel    = &Error{102, "unknown channel", false}
	ErrPermissionDenied  = &Error{103, "permission denied", false}
	ErrMethodNotFound    = &Error{104, "method not found", false}
	ErrAlreadySubscribed = &Error{105, "already subscribed", false}
	ErrLimitExceeded     = &Error{106, "limit exceeded", false}
	ErrBadRequest        = &Error{107, "bad request", false}
	ErrNotAvailable      = &Error{108, "not available", false}
	ErrTokenExpired      = &Error{109, "token expired", false}
	ErrTooManyRequests   = &Error{111, "too many requests", true}
	ErrUnrecoverable     = &Error{112, "unrecoverable position", false}
)

// Disconnect is why a connection ends: the code and the reason that the client
// is given. After 3000 to 3499 it comes back, after 3500 to 3999 it does not.
type Disconnect struct {
	Code   uint16
	Reason string
}

// The ways in which this server ends a connection. ClosedByClient is not sent.
var (
	ClosedByClient = Disconnect{0, "the client went"}
	Shutdown       = Disconnect{3001, "shutdown"}
	Expired        = Disconnect{3005, "connection expired"}
	Slow           = Disconnect{3008, "slow"}
	WriteError     = Disconnect{3009, "write error"}
	// InsufficientState ends a client that can no longer be given what it missed.
	InsufficientState = Disconnect{3010, "insufficient state"}
	NoPong            = Disconnect{3012, "no pong"}
	TooManyRequests   = Disconnect{3013, "too many requests"}
	InvalidToken      = Disconnect{3500, "invalid token"}
	BadRequest        = Disconnect{3501, "bad request"}
	Stale             = Disconnect{3502, "stale"}
	ConnectionLimit   = Disconnect{3504, "connection limit"}
	// JSONOnly ends a client that speaks Protobuf. Its SDK shows the reason.
	JSONOnly = Disconnect{3501, "this server speaks JSON only, not Protobuf"}
	// ProtocolError is the websocket's own (RFC 6455, section 7.4.1).
	ProtocolError = Disconnect{1002, "protocol error"}
)
