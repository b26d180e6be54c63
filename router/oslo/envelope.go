package oslo

import (
	"bytes"
	"strings"

	"horizon-realtime/router/json"
)

// quoted gives what stands behind the opening quote of the message, if the
// envelope is as oslo.messaging writes it:
//
//	{"oslo.version": "2.0", "oslo.message": "{\"message_id\": …}"}
func quoted(body []byte) (text []byte, ok bool) {
	for _, token := range []string{"{", `"oslo.version"`, ":", `"2.0"`, ",", `"oslo.message"`, ":", `"`} {
		body = trimSpace(body)
		if !bytes.HasPrefix(body, []byte(token)) {
			return nil, false
		}
		body = body[len(token):]
	}
	return body, true
}

// closes reports whether rest is the end of such an envelope.
func closes(rest []byte) bool {
	if len(rest) == 0 || rest[0] != '"' {
		return false
	}
	rest = trimSpace(rest[1:])
	return len(rest) > 0 && rest[0] == '}' && len(trimSpace(rest[1:])) == 0
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// unwrap appends the inner object to dst: what an envelope of any layout
// carries as a string (driver messagingv2), or the body itself (driver
// messaging).
func (s *scratch) unwrap(dst, body []byte) ([]byte, error) {
	if err := s.envelope.Parse(body); err != nil {
		return nil, jsonError(err)
	}
	root := s.envelope.Root()
	if root.Kind() != json.Object {
		return nil, refuse(Envelope, "the body is no JSON object")
	}
	message := root.Member("oslo.message")
	switch message.Kind() {
	case json.Absent:
		return append(dst, body...), nil
	case json.String:
		if v, ok := root.Member("oslo.version").Plain(); !ok || !strings.HasPrefix(string(v), "2.") {
			return nil, refuse(Envelope, "oslo.version is not 2.x")
		}
		return message.AppendTo(dst), nil
	}
	return nil, refuse(Envelope, "oslo.message is no string")
}
