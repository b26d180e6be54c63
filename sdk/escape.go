package sdk

import (
	"unicode/utf8"
	"unsafe"
)

// Strings with escapes are rare, and a tenant may write as many as names are long:
// they cost a few instructions a character too.

// chunk is how much of a string is escaped before the room is looked at again.
const chunk = 1 << 10

// escapes has, for each ASCII character, what follows the backslash that it needs,
// 'u' for the long form, and 0 where it needs none.
var escapes = func() (table [utf8.RuneSelf]byte) {
	for c := range ' ' {
		table[c] = 'u'
	}
	table['"'], table['\\'] = '"', '\\'
	table['\n'], table['\r'], table['\t'] = 'n', 'r', 't'
	return table
}()

// Plain reports whether a text is printable ASCII without quotes and backslashes, as
// ids are. It is quicker than to look at each character.
func Plain(s string) bool {
	n := len(s)
	if n < 8 {
		w := uint64(ones * ' ')
		if n > 0 {
			w = short(s) | ones*' '<<(8*n&63)
		}
		return (special(w)|(w+ones))&highs == 0
	}
	bad := uint64(0)
	for i := 0; i < n-8; i += 8 {
		w := load64(s, i)
		bad |= special(w) | (w + ones) // a DEL gets its highest bit
	}
	w := load64(s, n-8)
	return (bad|special(w)|(w+ones))&highs == 0
}

// escape writes a string that has something to escape, and a comma. Bytes that are
// no UTF-8 become U+FFFD.
func (j *JSON) escape(s string) {
	const hex = "0123456789abcdef"
	j.room(1)
	put8(j.to(), '"')
	j.n++
	for i := 0; i < len(s); {
		stop := min(len(s), i+chunk)
		j.room(len(`\u0000`) * (stop - i))
		to := j.to()
		for i < stop {
			c := s[i]
			if c >= utf8.RuneSelf {
				size := 2
				if c < 0xC2 || 0xDF < c || i+1 == len(s) || s[i+1]&0xC0 != 0x80 { // mostly two bytes
					var r rune
					if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
						to, _ = putText(to, "\uFFFD")
						i++
						continue
					}
				}
				for range size {
					put8(to, s[i])
					to = unsafe.Add(to, 1)
					i++
				}
				continue
			}
			switch e := escapes[c]; e {
			case 0:
				if i+8 <= stop {
					if w := load64(s, i); special(w)&highs == 0 {
						put64(to, w)
						to = unsafe.Add(to, 8)
						i += 8
						continue
					}
				}
				put8(to, c)
				to = unsafe.Add(to, 1)
			case 'u':
				put32(to, '\\'|'u'<<8|'0'<<16|'0'<<24)
				put16(unsafe.Add(to, 4), uint16(hex[c>>4])|uint16(hex[c&15])<<8)
				to = unsafe.Add(to, 6)
			default:
				put16(to, '\\'|uint16(e)<<8)
				to = unsafe.Add(to, 2)
			}
			i++
		}
		j.wrote(to)
	}
	j.room(2)
	put16(j.to(), '"'|','<<8)
	j.n += 2
}
