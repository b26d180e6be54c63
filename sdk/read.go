package sdk

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Parse looks at JSON text of the plugin's own: something it kept in the store,
// or a string that holds JSON. Text that is no JSON gives an absent value, as
// far as Parse looks: it finds the end of the value, and what is wrong further
// in shows where it is read, as absent too.
func Parse(text string) Value {
	v, end := scan(text, blank(text, 0))
	if end < 0 || blank(text, end) != len(text) {
		return Value{}
	}
	return v
}

// Member gives an object's member of that name, absent if there is none or v is
// no object. Of several it gives the last, as the router and most JSON parsers do.
func (v Value) Member(name string) (found Value) {
	if v.kind != KindObject {
		return Value{}
	}
	for it := v.Items(); it.Next(); {
		if it.Key() == name {
			found = it.Value()
		}
	}
	return found
}

// Items goes through the members of an object or the elements of an array, and
// ends at once for any other value:
//
//	for it := v.Items(); it.Next(); {
//		use(it.Key(), it.Value())
//	}
func (v Value) Items() Items { return Items{of: v} }

// Items is a place in an object or array; see Value.Items.
type Items struct {
	of    Value
	at    int
	key   string
	value Value
}

// Next moves on to the first or next one, and reports whether there is one.
func (it *Items) Next() bool {
	it.key, it.value, it.at = it.of.item(it.at)
	if it.at < 0 {
		*it = Items{}
		return false
	}
	return true
}

// item reads the member or element that follows on the one that ends at i, the
// first where i is 0, and tells where it ends, -1 if there is none.
func (v Value) item(i int) (key string, item Value, end int) {
	s := v.text
	if i > 0 {
		if i = blank(s, i); i >= len(s) || s[i] != ',' {
			return "", Value{}, -1
		}
	}
	i = blank(s, i+1)
	if v.kind == KindObject {
		if i >= len(s) || s[i] != '"' {
			return "", Value{}, -1
		}
		if key, i = scanString(s, i); i < 0 {
			return "", Value{}, -1
		}
		if i = blank(s, i); i >= len(s) || s[i] != ':' {
			return "", Value{}, -1
		}
		i = blank(s, i+1)
	} else if v.kind != KindArray {
		return "", Value{}, -1
	}
	if i < len(s) && s[i] == '"' { // as nearly everything is
		text, end := scanString(s, i)
		return key, Value{KindString, text}, end
	}
	item, end = scan(s, i)
	return key, item, end
}

// Key is the current member's name, empty in an array.
func (it *Items) Key() string { return it.key }

// Value is the current member or element.
func (it *Items) Value() Value { return it.value }

func blank(s string, i int) int {
	if i < len(s) && s[i] == ' ' { // mostly one or none
		i++
	}
	if i < len(s) && s[i] <= ' ' {
		return blanks(s, i)
	}
	return i
}

func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return i
}

// scan reads the value at i and tells where it ends, -1 if there is none.
func scan(s string, i int) (Value, int) {
	if i >= len(s) {
		return Value{}, -1
	}
	switch c := s[i]; {
	case c == '"':
		text, end := scanString(s, i)
		return Value{KindString, text}, end
	case c == '{':
		end := scanNested(s, i)
		if end < 0 {
			return Value{}, -1
		}
		return Value{KindObject, s[i:end]}, end
	case c == '[':
		end := scanNested(s, i)
		if end < 0 {
			return Value{}, -1
		}
		return Value{KindArray, s[i:end]}, end
	case c == '-' || '0' <= c && c <= '9':
		return scanNumber(s, i)
	case hasWord(s, i, "null"):
		return Value{kind: KindNull}, i + 4
	case hasWord(s, i, "true"):
		return Value{kind: KindTrue}, i + 4
	case hasWord(s, i, "false"):
		return Value{kind: KindFalse}, i + 5
	}
	return Value{}, -1
}

func hasWord(s string, i int, word string) bool {
	return len(s)-i >= len(word) && s[i:i+len(word)] == word
}

// scanNested finds the end of an object or array by its brackets: a search for
// quotes and brackets outside of strings, and for quotes and backslashes inside.
func scanNested(s string, i int) int {
	// Brackets differ from DEL in the bits of 0x26 at most, as do Y, y and the
	// underscore, which are nothing there.
	const outside, brackets, backslash = ones * 0x26, ones * 0x7F, ones * '\\'
	var either, other uint64 = outside, brackets
	depth := 0
	for i < len(s) {
		w := word(s, i)
		hit := (zeros(w^ones*'"') | zeros((w|either)^other)) & highs
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit)/8 + 1
		switch c := s[i-1]; {
		case c == '"':
			either ^= outside
			other ^= brackets ^ backslash
		case either == 0:
			i++ // what is escaped
		case c|0x20 == '{':
			depth++
		case c|0x20 == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// endOfString finds where the string that begins at i ends.
func endOfString(s string, i int) int {
	for i++; i < len(s); {
		hit := quoteOrSlash(word(s, i))
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) / 8
		if s[i] == '"' {
			return i + 1
		}
		i += 2
	}
	return -1
}

// word gives the eight bytes of s from i on, with zeros for those that it has not.
func word(s string, i int) uint64 {
	if len(s)-i < 8 {
		return short(s[i:])
	}
	return load64(s, i)
}

// quoteOrSlash has the highest bit of the first byte set that is a quote or a
// backslash, and maybe of some that come after it.
func quoteOrSlash(w uint64) uint64 {
	return (zeros(w^ones*'"') | zeros(w^ones*'\\')) & highs
}

// zeros has the highest bit of the first byte set that is zero, and maybe of some
// that come after it. It gives other bits as well.
func zeros(w uint64) uint64 { return (w - ones) &^ w }

// scanNumber follows the grammar, so that a literal can be passed on as it is.
func scanNumber(s string, i int) (Value, int) {
	start := i
	if s[i] == '-' {
		i++
	}
	first := i
	if i = digits(s, i); i == first || s[first] == '0' && i > first+1 {
		return Value{}, -1
	}
	if i < len(s) && s[i] == '.' {
		from := i + 1
		if i = digits(s, from); i == from {
			return Value{}, -1
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from := i
		if i = digits(s, from); i == from {
			return Value{}, -1
		}
	}
	return Value{KindNumber, s[start:i]}, i
}

func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

// scanString reads the string at i. Most have no escapes and are a part of s.
func scanString(s string, i int) (string, int) {
	start := i + 1
	for i = start; i < len(s); i += 8 {
		if hit := quoteOrSlash(word(s, i)); hit != 0 {
			i += bits.TrailingZeros64(hit) / 8
			if s[i] == '"' {
				return s[start:i], i + 1
			}
			return unescape(s, start, i)
		}
	}
	return "", -1
}

// unescape decodes the string from start, whose first escape is at i, into the
// arena.
func unescape(s string, start, i int) (string, int) {
	end := endOfString(s, i-1)
	if end < 0 {
		return "", -1
	}
	last := end - 1
	// Decoded, a string never takes more bytes than its escapes did.
	dst := free(last - start + 8)
	n := copy(dst, s[start:i])
	for i < last {
		switch c := s[i]; {
		case c != '\\':
			if i+8 <= last {
				if w := load64(s, i); quoteOrSlash(w) == 0 {
					put64(unsafe.Pointer(&dst[n]), w)
					n += 8
					i += 8
					continue
				}
			}
			dst[n] = c
			n++
			i++
		case s[i+1] == '"' || s[i+1] == '\\': // by far the most; a backslash is never the last
			dst[n] = s[i+1]
			n++
			i += 2
		default:
			r, size := escape(s[i:last])
			if size == 0 {
				return "", -1
			}
			if r < utf8.RuneSelf {
				dst[n] = byte(r)
				n++
			} else {
				n += utf8.EncodeRune(dst[n:], r)
			}
			i += size
		}
	}
	keep(n)
	return alias(dst[:n]), end
}

// escape decodes the escape at the beginning of s, a surrogate pair as one, and
// tells how many bytes it took: none if it is no escape. Half a pair is U+FFFD.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(s[2:])
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if low, ok := hex4(s[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, 12
				}
			}
		}
		return utf8.RuneError, 6
	}
	return 0, 0
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
