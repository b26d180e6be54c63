package oslo

import (
	"bytes"
	"errors"
	"slices"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// SmallBody is the largest body, in bytes and decompressed, that Begin decodes
// as a whole: three times the longest that services were seen to send, and a
// millisecond's work at the most.
const SmallBody = 32 << 10

// Begin is Decode for a caller that others wait for. It decodes a body of up to
// SmallBody, and reports that n is whole. Of a larger one it reads as much from the
// beginning, and n has the type, the ids and the owners that are named there, which
// services do before anything long that a user wrote. They say whose a notification
// is, not what happened: Decode must follow, and has the last word.
//
// # Errors
//
// Those of Decode, of a small body only.
func (d *Decoder) Begin(n *event.Notification, body []byte, compression string) (whole bool, err error) {
	kind, known := encodingOf(compression)
	if !known || len(body) > d.cfg.MaxBodyBytes || kind == plain && len(body) <= SmallBody {
		return true, d.Decode(n, body, compression)
	}
	n.Reset()
	if kind != plain {
		var failed *Error
		if body, err = decompress(nil, body, kind, SmallBody); err == nil {
			return true, d.Decode(n, body, "")
		} else if errors.As(err, &failed) && failed.Reason != TooLarge {
			return true, err
		}
	}
	if n.Load(appendBeginning(n.Buffer(), body[:SmallBody])) != nil || d.standardFields(n) != nil {
		n.Reset()
	}
	return false, nil
}

// appendBeginning appends the inner object as far as the beginning of a body has
// it: the members that are complete, in containers that are closed early.
func appendBeginning(dst, body []byte) []byte {
	text, ok := quoted(body)
	if ok {
		text = unquote(text)
	} else {
		text = body
	}
	var open, closing []byte // brackets that close what is open: now, and at the last comma
	end, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if len(open) == json.MaxDepth {
				return dst // Decode will refuse it; to note so many at each comma takes long
			}
			open = append(open, c+2) // as ASCII has it
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		case c == ',':
			end, closing = i, append(closing[:0], open...)
		}
	}
	slices.Reverse(closing)
	return append(append(dst, text[:end]...), closing...)
}

// unquote removes the backslashes from the beginning of a JSON string that has a
// JSON text in it, so that its only escapes are \" and \\. It stops before any other.
func unquote(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for {
		i := bytes.IndexAny(text, `"\`)
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		if text = text[i:]; len(text) < 2 || text[0] == '"' || text[1] != '"' && text[1] != '\\' {
			return out
		}
		out, text = append(out, text[1]), text[2:]
	}
}
