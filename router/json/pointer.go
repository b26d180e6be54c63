package json

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of a pointer.
const (
	// MaxPointerBytes is how long one may be, as it is written.
	MaxPointerBytes = 256
	// MaxPointerSegments is how many steps it may take.
	MaxPointerSegments = 16
)

// ErrPointer is wrapped by every refusal of ParsePointer.
var ErrPointer = errors.New("bad JSON pointer")

// Pointer is a parsed JSON Pointer (RFC 6901): the way to one value of a
// document. The zero Pointer is the whole document. It does not change, so any
// number of goroutines can use it.
type Pointer struct {
	text     string
	segments []segment
}

type segment struct {
	key   []byte
	hash  uint32
	index int // of an array's element, -1 if the key is not a number
}

// ParsePointer reads a JSON Pointer: empty, or segments that each begin with a
// slash, in which `~1` stands for a slash and `~0` for a tilde.
//
// # Errors
//
// Every refusal wraps ErrPointer.
func ParsePointer(s string) (Pointer, error) {
	if len(s) > MaxPointerBytes {
		return Pointer{}, fmt.Errorf("%w: %d bytes are over the limit of %d", ErrPointer, len(s), MaxPointerBytes)
	}
	if s == "" {
		return Pointer{}, nil
	}
	if s[0] != '/' {
		return Pointer{}, fmt.Errorf("%w %q: it starts with a slash", ErrPointer, s)
	}
	if !utf8.ValidString(s) {
		return Pointer{}, fmt.Errorf("%w %q: not valid UTF-8", ErrPointer, s)
	}
	parts := strings.Split(s[1:], "/")
	if len(parts) > MaxPointerSegments {
		return Pointer{}, fmt.Errorf("%w: %d segments are over the limit of %d", ErrPointer, len(parts), MaxPointerSegments)
	}
	p := Pointer{text: s, segments: make([]segment, len(parts))}
	for i, part := range parts {
		key, ok := unescapeSegment(part)
		if !ok {
			return Pointer{}, fmt.Errorf("%w %q: a tilde is followed by 0 or 1", ErrPointer, s)
		}
		p.segments[i] = segment{[]byte(key), hashKey([]byte(key)), elementIndex(key)}
	}
	return p, nil
}

// Segments is how many steps the pointer takes.
func (p Pointer) Segments() int { return len(p.segments) }

// Elements is how many elements of arrays it passes by at the most.
func (p Pointer) Elements() (n int) {
	for i := range p.segments {
		n += max(p.segments[i].index, 0)
	}
	return n
}

// String is the pointer as it was written.
func (p Pointer) String() string { return p.text }

func unescapeSegment(s string) (string, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return "", false
		}
	}
	s = strings.ReplaceAll(s, "~1", "/")
	return strings.ReplaceAll(s, "~0", "~"), true
}

// elementIndex reads a segment as RFC 6901 has it: digits, no leading zero. The
// `-` behind an array's end is no element.
func elementIndex(s string) int {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return -1
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}
