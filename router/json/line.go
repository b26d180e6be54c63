package json

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// CheckLine checks that b is exactly one JSON value in valid UTF-8, without
// a line break anywhere and nested no deeper than MaxDepth: what can be put on
// the wire as it stands, in a protocol that ends a message with a line break.
// It allocates nothing unless it refuses.
//
// # Errors
//
// ErrSyntax (also for a line break), ErrUTF8, ErrTooDeep.
func CheckLine(b []byte) error { return checkLine(b, 0, 0) }

// CheckLineLike is CheckLine for a text that may begin like one that CheckLine has
// accepted, and then reads only the rest: what a plugin sends to admins is mostly
// what it sent to the project, and some members more.
//
// # Errors
//
// Those of CheckLine.
func CheckLineLike(b, accepted []byte) error {
	// The braces at the end of a JSON text close it. A member ends in front of
	// them, unless the last object is empty; and in b too, if a comma or another
	// brace follows and not more of a number.
	if len(accepted) == 0 {
		return CheckLine(b)
	}
	same := len(bytes.TrimRight(accepted, "}"))
	depth := len(accepted) - same
	if depth == 0 || strings.IndexByte("{ \t", accepted[same-1]) >= 0 ||
		!bytes.HasPrefix(b, accepted[:same]) || len(b) == same || b[same] != ',' && b[same] != '}' {
		return CheckLine(b)
	}
	return checkLine(b, same, depth)
}

// checkLine checks b from i on, the end of a member within depth objects.
func checkLine(b []byte, i, depth int) error {
	if !utf8.Valid(b[i:]) {
		return ErrUTF8
	}
	s := scanner{text: b, blanks: lineBlanks, mark: '"'}
	end, err := s.scan(s.skip(i), depth, 1<<depth-1)
	return s.whole(end, err)
}
