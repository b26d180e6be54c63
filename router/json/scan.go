package json

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The lexical grammar of RFC 8259. Every scan function takes the position of a
// token's first byte and returns the position after its last, or -1 if the token is
// not valid. Whether the text is UTF-8 is checked beforehand, for the whole text at once.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the high bit of each byte that is a quote, a backslash or a
// control character. Only the lowest mark is exact, which is the one used.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & highs
}

// scanString also reports whether the string has escapes.
func (s *scanner) scanString(i int) (end int, escaped bool) {
	b := s.text
	if s.lead > 0 {
		// Its quotes have a backslash each, and it has no other escapes. The quotes move to
		// where it begins and ends, and what is beside them becomes white space.
		if i+2 > len(b) || b[i+1] != '"' {
			return -1, false
		}
		n := bytes.IndexByte(b[i+2:], '\\')
		end = i + 2 + n
		if n < 0 || end+2 > len(b) || b[end+1] != '"' {
			return -1, false
		}
		b[i], b[end], b[end+1] = ' ', '"', ' '
		s.strings++
		return end + 1, false
	}
	for i++; i < len(b); {
		if i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i:]))
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = scanEscape(b, i); i < 0 {
				return -1, escaped
			}
		case c < ' ':
			return -1, escaped
		default:
			i++ // fewer than eight bytes are left
		}
	}
	return -1, escaped
}

func scanEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 <= len(b) && hex4(b[i+2:i+6]) >= 0 {
			return i + 6
		}
	}
	return -1
}

func scanNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = scanDigits(b, i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = scanDigits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return scanDigits(b, i)
	}
	return i
}

// scanDigits wants at least one.
func scanDigits(b []byte, i int) int {
	first := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == first {
		return -1
	}
	return i
}

func scanLiteral(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// scanWord scans a number, true, false or null.
func scanWord(b []byte, i int) (end int, kind Kind) {
	switch b[i] {
	case 't':
		return scanLiteral(b, i, "true"), True
	case 'f':
		return scanLiteral(b, i, "false"), False
	case 'n':
		return scanLiteral(b, i, "null"), Null
	}
	return scanNumber(b, i), Number
}

// scanNaN scans what Python writes for a float that is no number. JSON has no word for it.
func scanNaN(b []byte, i int) (end int) {
	for _, word := range [...]string{"NaN", "Infinity", "-Infinity"} {
		if end = scanLiteral(b, i, word); end > 0 {
			return end
		}
	}
	return -1
}

// hex4 reads four hexadecimal digits, -1 if they are not.
func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescaped is what a backslash makes of the byte behind it, 0 if that begins a
// longer escape.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape decodes s, the inside of a scanned string, into dst, which has as many
// bytes, and returns how many of them that made. A surrogate without its other half
// becomes U+FFFD.
func unescape(dst, s []byte) (n int) {
	for {
		k := bytes.IndexByte(s, '\\')
		if k < 0 {
			return n + copy(dst[n:], s)
		}
		n += copy(dst[n:], s[:k])
		for s = s[k:]; len(s) > 0 && s[0] == '\\'; n++ { // one often follows another
			c := unescaped[s[1]]
			if c == 0 {
				break
			}
			dst[n] = c
			s = s[2:]
		}
		if len(s) > 0 && s[0] == '\\' {
			r, end := escapedRune(s, 0)
			n += utf8.EncodeRune(dst[n:], r)
			s = s[end:]
		}
	}
}

// encoded is how many bytes of s, the inside of a scanned string, the first n of the
// decoded text take, without the half of a character.
func encoded(s []byte, n int) int {
	i := 0
	for n > 0 && i < len(s) {
		size, end := 1, i+1
		if s[i] == '\\' {
			if end++; unescaped[s[i+1]] == 0 {
				var r rune
				r, end = escapedRune(s, i)
				size = utf8.RuneLen(r)
			}
		}
		if n -= size; n >= 0 {
			i = end
		}
	}
	return i
}

// escapedRune decodes the \u escape at i, with its second half if it is the
// first of a surrogate pair.
func escapedRune(s []byte, i int) (rune, int) {
	r := hex4(s[i+2:])
	i += 6
	if !utf16.IsSurrogate(r) {
		return r, i
	}
	if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(s[i+2:])); pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return utf8.RuneError, i
}

// isPrintable reports whether text is ASCII without control characters (but DEL, which
// JSON does not mind).
func isPrintable(text []byte) bool {
	var odd uint64 // has the high bit of each byte that is not
	for ; len(text) >= 32; text = text[32:] {
		a, b := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		c, d := binary.LittleEndian.Uint64(text[16:]), binary.LittleEndian.Uint64(text[24:])
		odd |= a | (a - ones*' ') | b | (b - ones*' ') | c | (c - ones*' ') | d | (d - ones*' ')
	}
	for _, c := range text {
		odd |= uint64(c | (c - ' '))
	}
	return odd&highs == 0
}

// IsPlain reports whether text is ASCII without control characters.
func IsPlain(text []byte) bool {
	whole, n := text, len(text)
	if n < 8 {
		for _, c := range text {
			if c-' ' >= 0x7f-' ' {
				return false
			}
		}
		return true
	}
	var odd uint64 // has the high bit of each byte that is not
	for ; len(text) > 16; text = text[16:] {
		a, b := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
		odd |= a | (a - ones*' ') | (a + ones) | b | (b - ones*' ') | (b + ones)
	}
	if n = len(text); n > 8 {
		w := binary.LittleEndian.Uint64(text)
		odd |= w | (w - ones*' ') | (w + ones)
	}
	w := binary.LittleEndian.Uint64(whole[len(whole)-8:]) // some of it again
	return (odd|w|(w-ones*' ')|(w+ones))&highs == 0
}
