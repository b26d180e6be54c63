package wire

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// Publication is what clients are told of a publication.
type Publication struct {
	// Data is one JSON value without a line break.
	Data []byte
	// Offset is above 0 and at most 2^53-1, what JavaScript can count to.
	Offset uint64
	// Key is the id of the resource. It may be empty.
	Key []byte
	// Removed says that the resource is gone.
	Removed bool
	// Time is when it happened; zero: not told. Clients get milliseconds.
	Time time.Time
}

// AppendBody appends the members of a publication, without the braces around
// them, so that a tag can follow for a wildcard's subscribers:
//
//	"data":{…},"offset":43,"key":"…","removed":true,"time":1764547200123
func AppendBody(dst []byte, p *Publication) []byte {
	dst = append(dst, `"data":`...)
	dst = append(dst, p.Data...)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendUint(dst, p.Offset, 10)
	if len(p.Key) > 0 {
		dst = append(dst, `,"key":`...)
		dst = appendString(dst, p.Key)
	}
	if p.Removed {
		dst = append(dst, `,"removed":true`...)
	}
	if !p.Time.Equal(time.Time{}) {
		dst = append(dst, `,"time":`...)
		dst = strconv.AppendInt(dst, p.Time.UnixMilli(), 10)
	}
	return dst
}

// appendPush appends a whole push message. pattern is what the subscribers
// subscribed to; concrete is the channel if that differs, else empty. Channel
// names need no escaping.
func appendPush(dst []byte, pattern, concrete string, body []byte) []byte {
	dst = append(dst, `{"push":{"channel":"`...)
	dst = append(dst, pattern...)
	dst = append(dst, `","pub":`...)
	dst = AppendPublication(dst, concrete, body)
	return append(dst, `}}`...)
}

// AppendPublication appends a publication as an object. body is what AppendBody
// made. If concrete is not empty, a tag names that channel: besides the data,
// official clients show an application only the channel it subscribed to and the
// tags.
func AppendPublication(dst []byte, concrete string, body []byte) []byte {
	dst = append(dst, '{')
	dst = append(dst, body...)
	if concrete != "" {
		dst = append(dst, `,"tags":{"channel":"`...)
		dst = append(dst, concrete...)
		dst = append(dst, `"}`...)
	}
	return append(dst, '}')
}

// AppendSkipped appends a message of a batch with one more tag: how many
// publications of its subscription were dropped just before it.
func AppendSkipped(dst, line []byte, skipped int) []byte {
	const bare, tagged = "}}}", `"}}}}`
	if bytes.HasSuffix(line, []byte(tagged)) {
		dst = append(dst, line[:len(line)-len(tagged)]...)
		dst = append(dst, `","skipped":"`...)
	} else {
		dst = append(dst, line[:len(line)-len(bare)]...)
		dst = append(dst, `,"tags":{"skipped":"`...)
	}
	dst = strconv.AppendInt(dst, int64(skipped), 10)
	return append(dst, tagged...)
}

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for len(s) > 0 {
		plain := 0
		for plain < len(s) && isPlain[s[plain]] {
			plain++
		}
		dst = append(dst, s[:plain]...)
		if s = s[plain:]; len(s) == 0 {
			break
		}
		switch c := s[0]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < utf8.RuneSelf:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		default:
			r, n := utf8.DecodeRune(s)
			dst = utf8.AppendRune(dst, r)
			s = s[n:]
			continue
		}
		s = s[1:]
	}
	return append(dst, '"')
}

// isPlain reports whether a byte needs no escape in a JSON string.
var isPlain = func() (plain [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()
