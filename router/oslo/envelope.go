package oslo

import (
	"bytes"
	"strings"

	"horizon-realtime/router/event"
)

// unwrap appends the message inside an envelope to dst, if the envelope is as
// oslo.messaging writes it, in one pass:
//
//	{"oslo.version": "2.0", "oslo.message": "{\"message_id\": …}"}
//
// For anything else ok is false, and unwrapAny says what it is. Whether the
// envelope is UTF-8 shows in the message: all that is not checked here ends there.
func unwrap(dst, body []byte) (message []byte, ok bool) {
	rest := body
	for _, token := range []string{"{", `"oslo.version"`, ":", `"2.0"`, ",", `"oslo.message"`, ":"} {
		rest = trimSpace(rest)
		if !bytes.HasPrefix(rest, []byte(token)) {
			return dst, false
		}
		rest = rest[len(token):]
	}
	message, rest, ok = event.AppendString(dst, trimSpace(rest))
	if !ok {
		return dst, false
	}
	rest = trimSpace(rest)
	if len(rest) == 0 || rest[0] != '}' || len(trimSpace(rest[1:])) != 0 {
		return dst, false
	}
	return message, true
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// unwrapAny appends the inner object to dst: what an envelope of any layout
// carries as a string (driver messagingv2), or the body itself (driver
// messaging).
func (s *scratch) unwrapAny(dst, body []byte) ([]byte, error) {
	if err := s.envelope.Parse(body); err != nil {
		return nil, jsonError(err)
	}
	root := s.envelope.Root()
	if root.Kind() != event.Object {
		return nil, refuse(Envelope, "the body is no JSON object")
	}
	message := root.Member("oslo.message")
	switch message.Kind() {
	case event.Absent:
		return append(dst, body...), nil
	case event.String:
		if v, ok := root.Member("oslo.version").Plain(); !ok || !strings.HasPrefix(string(v), "2.") {
			return nil, refuse(Envelope, "oslo.version is not 2.x")
		}
		return message.AppendTo(dst), nil
	}
	return nil, refuse(Envelope, "oslo.message is no string")
}
