package oslo

import (
	"errors"

	"horizon-realtime/router/json"
)

// Reason is why a message was refused: a closed set, fit for a metric's label.
type Reason string

// The reasons.
const (
	// TooLarge: the body, or what it decompresses to, is over MaxBodyBytes.
	TooLarge Reason = "too_large"
	// Compression: the header names an encoding we do not know, or the body
	// is not in the encoding that it names.
	Compression Reason = "compression"
	// NotJSON: the body, or the message inside it, is not valid JSON.
	NotJSON Reason = "not_json"
	// NotUTF8: it has bytes that are no UTF-8.
	NotUTF8 Reason = "not_utf8"
	// TooDeep and TooManyValues: see json.MaxDepth and json.MaxNodes.
	TooDeep       Reason = "too_deep"
	TooManyValues Reason = "too_many_values"
	// Envelope: the envelope is of another version, or not what it should be.
	Envelope Reason = "envelope"
	// NoEventType: there is no event type, or one of no sensible length.
	NoEventType Reason = "no_event_type"
)

// Error is what Decode returns. Its text says nothing of the message's content,
// so it can be logged and sent back to the broker.
type Error struct {
	Reason Reason
	Err    error
}

// Error names the reason and what was found.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func refuse(reason Reason, text string) *Error { return &Error{reason, errors.New(text)} }

// jsonError sorts a refusal of the parser.
func jsonError(err error) *Error {
	switch {
	case errors.Is(err, json.ErrUTF8):
		return &Error{NotUTF8, err}
	case errors.Is(err, json.ErrTooDeep):
		return &Error{TooDeep, err}
	case errors.Is(err, json.ErrTooLarge):
		return &Error{TooManyValues, err}
	}
	return &Error{NotJSON, err}
}
