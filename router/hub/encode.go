package hub

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendBody appends the members of a publication, without the braces around
// them, so that a wildcard's subscribers can be given one more:
//
//	"data":{…},"offset":43,"key":"…","removed":true,"time":1764547200123
func appendBody(dst []byte, p *Publication, offset uint64) []byte {
	dst = append(dst, `"data":`...)
	dst = append(dst, p.Data...)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendUint(dst, offset, 10)
	if len(p.Key) > 0 {
		dst = append(dst, `,"key":`...)
		dst = appendString(dst, p.Key)
	}
	if p.Removed {
		dst = append(dst, `,"removed":true`...)
	}
	if !p.At.Equal(time.Time{}) {
		dst = append(dst, `,"time":`...)
		dst = strconv.AppendInt(dst, p.At.UnixMilli(), 10)
	}
	return dst
}

// appendPush appends a whole push message. pattern is what the subscribers
// subscribed to; concrete is the channel, where that is something else. Neither
// needs escaping, by the alphabet of channel names.
func appendPush(dst []byte, pattern, concrete string, body []byte) []byte {
	dst = append(dst, `{"push":{"channel":"`...)
	dst = append(dst, pattern...)
	dst = append(dst, `","pub":`...)
	dst = appendPublication(dst, concrete, body)
	return append(dst, `}}`...)
}

// appendPublication appends a publication as an object, naming its channel in
// a tag if concrete is not empty: official clients show an application the
// channel it subscribed to, the tags, and nothing else that tells them apart.
func appendPublication(dst []byte, concrete string, body []byte) []byte {
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
// publications of its subscription were dropped before it.
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

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD.
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

// isPlain tells of a byte whether it stands in a JSON string as it is.
var isPlain = func() (plain [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()
