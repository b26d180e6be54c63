package fuel

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// reader walks over module bytes. The first fault sticks: after it every read
// yields zero, so that a loop needs to look at err only where it would
// otherwise go on for long.
type reader struct {
	b   []byte
	pos int
	err error
}

var (
	errShort = errors.New("it ends in the middle of a value")
	errLEB   = errors.New("an integer is too long or too large")
)

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.pos = len(r.b)
}

func (r *reader) failf(format string, args ...any) { r.fail(fmt.Errorf(format, args...)) }

func (r *reader) left() int { return len(r.b) - r.pos }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > r.left() {
		r.fail(errShort)
		return nil
	}
	b := r.b[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

// u32 reads an unsigned LEB128 of at most 32 bits and five bytes.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	return r.longU32()
}

func (r *reader) longU32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			r.fail(errLEB)
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(errLEB)
	return 0
}

// signed reads a signed LEB128 of the given number of bits, at most 64.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if room := bits - shift; room < 7 {
			// The last byte: the bits past the value must repeat its sign.
			sign := int8(c<<1) >> room
			if sign != 0 && sign != -1 {
				r.fail(errLEB)
				return 0
			}
		}
		if shift+7 < 64 {
			v = v << (64 - shift - 7) >> (64 - shift - 7)
		}
		return v
	}
	r.fail(errLEB)
	return 0
}

// count reads the length of a vector whose items take at least one byte each,
// and refuses it where it is over the limit or there are fewer bytes left.
func (r *reader) count(what string, limit int) int {
	n := r.u32()
	switch {
	case r.err != nil:
		return 0
	case int64(n) > int64(limit):
		r.fail(over(what, int64(n), int64(limit)))
		return 0
	case int64(n) > int64(r.left()):
		r.failf("it declares %d %s in %d bytes", n, what, r.left())
		return 0
	}
	return int(n)
}

func (r *reader) name() string {
	b := r.bytes(int(r.u32()))
	if !utf8.Valid(b) {
		r.fail(errors.New("a name is not UTF-8"))
		return ""
	}
	return string(b)
}

// over is the sentence of every exceeded limit.
func over(what string, found, limit int64) error {
	return fmt.Errorf("%d %s, the limit is %d", found, what, limit)
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
