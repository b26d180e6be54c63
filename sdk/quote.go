package sdk

import "unicode/utf8"

// What a WebAssembly runtime makes of Go code is slow at loops and calls, so that
// strings are looked at eight bytes at a time and copied at once.

// plain tells whether a JSON string may hold the text as it is, which is what it
// nearly always may: ASCII without control characters, quotes and backslashes.
func plain(s string) bool {
	n := len(s)
	if n < 8 {
		return special(short(s)) == 0
	}
	bad := special(load64(s, n-8))
	for i := 0; i < n-8; i += 8 {
		bad |= special(load64(s, i))
	}
	return bad == 0
}

// short gives the bytes of a string of less than eight, in any order and some
// twice, and spaces for what is missing.
func short(s string) uint64 {
	const spaces = 0x2020202020202020
	switch n := len(s); {
	case n >= 4:
		return uint64(load32s(s, 0)) | uint64(load32s(s, n-4))<<32
	case n > 0:
		return spaces&^0xFFFFFF | uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	return spaces
}

// special has a bit set if one of the eight bytes needs attention: it has its
// own highest bit, or subtracting 0x20, or 1 from its difference to a quote or a
// backslash, borrows.
func special(w uint64) uint64 {
	const ones = 0x0101010101010101
	return (w | (w - ones*0x20) | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones)) & (ones * 0x80)
}

// member writes a member that is a string, and a comma.
func (j *JSON) member(key, value string) {
	if !plain(key) || !plain(value) {
		j.buf = appendString(j.buf, key)
		j.buf[len(j.buf)-1] = ':' // for the comma
		j.buf = appendString(j.buf, value)
		return
	}
	n := len(j.buf)
	b := extend(j.buf, len(key)+len(value)+len(`"":"",`))
	j.buf, b = b, b[n:]
	b[0] = '"'
	copy(b[1:], key)
	b = b[1+len(key):]
	b[0], b[1], b[2] = '"', ':', '"'
	copy(b[3:], value)
	b = b[3+len(value):]
	b[0], b[1] = '"', ','
}

// appendString writes a string with its quotes, and a comma.
func appendString(dst []byte, s string) []byte {
	if !plain(s) {
		return appendEscaped(dst, s)
	}
	n := len(dst)
	dst = extend(dst, len(s)+len(`"",`))
	b := dst[n:]
	b[0] = '"'
	copy(b[1:], s)
	b = b[1+len(s):]
	b[0], b[1] = '"', ','
	return dst
}

// extend makes room for n more bytes.
func extend(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		b = grow(b, n)
	}
	return b[:len(b)+n]
}

//go:noinline
func grow(b []byte, n int) []byte { return append(b, make([]byte, n)...)[:len(b)] }

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		} else {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"', ',')
}
