// Package oslo opens what oslo.messaging puts on the wire.
//
// In: the body of one AMQP message, as bytes, with its compression header. Out:
// an event.Notification whose text has no secrets left and whose owner is known,
// or an *Error that says why the message is none. Caller: the router's consumer,
// before anything else sees the message.
//
// The files follow the message: compression.go, envelope.go, decode.go (the
// members that every notification has), timestamp.go, secrets.go (by name), texts.go
// and words.go (secrets in strings), owner.go, split.go (several owners); begin.go
// reads whose a large body is before it is decoded.
package oslo
