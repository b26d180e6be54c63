package json

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// CheckLine tells whether b is exactly one JSON value in valid UTF-8, without
// a line break anywhere and nested no deeper than MaxDepth: what can be put on
// the wire as it stands, in a protocol that ends a message with a line break.
// It allocates nothing unless it refuses.
//
// # Errors
//
// ErrSyntax (also for a line break), ErrUTF8, ErrTooDeep.
func CheckLine(b []byte) error {
	if !utf8.Valid(b) {
		return ErrUTF8
	}
	return compact(b, skipBlank(b, 0), 0, 0)
}

// CheckLineLike is CheckLine for a text that may begin as another does which
// CheckLine has accepted, and then looks at the rest of it only: what a filter
// sends to admins is mostly what it sent to the project, and some members more.
//
// # Errors
//
// Those of CheckLine.
func CheckLineLike(b, accepted []byte) error {
	// The braces at the end of a JSON text close it. A member ends in front of
	// them, but where the last object is empty; and in b too, if a comma or another
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
	if !utf8.Valid(b[same:]) {
		return ErrUTF8
	}
	return compact(b, same, depth, 1<<depth-1)
}

// compact goes through b from i on. A bit of objects for each of the depth
// containers around i tells whether it is an object; within one, i is where a
// member ends.
func compact(b []byte, i, depth int, objects uint64) error {
	for start, ended := i, depth > 0; ; start, ended = i, false {
		if ended {
			// There is no value to scan.
		} else if i >= len(b) {
			return syntaxError(i)
		} else if c := b[i]; c == '{' || c == '[' {
			if depth == MaxDepth {
				return ErrTooDeep
			}
			depth++
			objects <<= 1
			if c == '{' {
				objects |= 1
			}
			i = skipBlank(b, i+1)
			if i >= len(b) || b[i] != c+2 {
				if c == '{' {
					if i = compactKey(b, i); i < 0 {
						return syntaxError(start)
					}
				}
				continue
			}
		} else if c == '"' {
			if i = skipPlain(b, i+1); i < len(b) && b[i] == '"' {
				i++
			} else if i, _ = scanString(b, start); i < 0 {
				return syntaxError(start)
			}
		} else if i, _, _ = scanScalar(b, i); i < 0 {
			return syntaxError(start)
		}

		for {
			i = skipBlank(b, i)
			if depth == 0 {
				if i != len(b) {
					return syntaxError(i)
				}
				return nil
			}
			if i == len(b) {
				return syntaxError(i)
			}
			c := b[i]
			if c == ',' {
				i = skipBlank(b, i+1)
				if objects&1 == 1 {
					if i = compactKey(b, i); i < 0 {
						return syntaxError(start)
					}
				}
				break
			}
			if c != ']'+byte(objects&1)*('}'-']') {
				return syntaxError(i)
			}
			i++
			objects >>= 1
			depth--
		}
	}
}

// compactKey scans a key and its colon, up to the value.
func compactKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	start := i
	if i = skipPlain(b, i+1); i < len(b) && b[i] == '"' {
		i++
	} else if i, _ = scanString(b, start); i < 0 {
		return -1
	}
	i = skipBlank(b, i)
	if i >= len(b) || b[i] != ':' {
		return -1
	}
	return skipBlank(b, i+1)
}

// skipBlank skips the white space that is no line break.
func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i
}
