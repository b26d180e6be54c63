package json

import "fmt"

// scanner goes through one value and all that it holds, by the grammar of RFC 8259.
// Every way of reading a text goes through here, so that no two of them disagree.
type scanner struct {
	text []byte
	// doc indexes the values, check looks at what is in them; one of them is nil.
	doc   *Document
	check *LineChecker
	// blanks has a bit for each byte that is white space.
	blanks uint64
	// mark is a string's first byte: its quote, or the backslash before the quote in a
	// text that stands in a JSON string itself. lead is how far from it the quote is.
	mark byte
	lead int
	// strings counts those of such a text, keys included.
	strings int
	// nan says that there is a NaN or an infinity.
	nan bool
}

// What is white space: in JSON, in one line of it, and in a line that stands in a
// JSON string, where a tab would be an escape.
const (
	blanks       = lineBlanks | 1<<'\n' | 1<<'\r'
	lineBlanks   = quotedBlanks | 1<<'\t'
	quotedBlanks = 1 << ' '
)

// scan reads up to the end of the outermost value and returns the position after it.
// If depth is 0, that value begins at i. Otherwise i is the end of a value within depth
// containers, and objects has a bit for each of them, the innermost lowest: set for an
// object.
//
// # Errors
//
// ErrSyntax, ErrTooDeep or ErrTooLarge; end is where the text is wrong.
func (s *scanner) scan(i, depth int, objects uint64) (end int, err error) {
	var open [MaxDepth]uint32 // the numbers of the containers around i
	text, doc := s.text, s.doc
	if depth > 0 {
		open = s.check.open
	}
	for value := depth == 0; ; value = true {
		if value {
			if i >= len(text) {
				return i, ErrSyntax
			}
			if doc != nil && len(doc.nodes) > MaxNodes {
				return i, ErrTooLarge
			}
			c := text[i]
			if c == '{' || c == '[' {
				if depth == MaxDepth {
					return i, ErrTooDeep
				}
				if doc != nil {
					open[depth] = doc.open(i, c)
				} else {
					open[depth] = s.check.opened(depth)
				}
				depth++
				objects = objects<<1 | uint64(c>>5&1)
				at := i
				if i = s.skip(i + 1); i >= len(text) || text[i] != c+2 { // ']' is '[' + 2, '}' is '{' + 2
					if i = s.next(i, objects&1 == 1, open[depth-1]); i < 0 {
						return at, ErrSyntax
					}
					continue
				}
			} else {
				var kind Kind
				var escaped bool
				start := i
				if c == s.mark {
					kind, start = String, i+s.lead
					end, escaped = s.scanString(i)
				} else {
					end, kind = scanWord(text, i)
					if end < 0 && doc != nil {
						end, kind, s.nan = scanNaN(text, i), Null, true
					}
				}
				if end < 0 {
					return i, ErrSyntax
				}
				if doc != nil {
					doc.scalar(start, end, kind, escaped)
				} else if escaped && !s.check.string(text, start, end) || kind == Number && end-start > 4 && !s.check.number(text, start, end) {
					return start, ErrAmbiguous
				}
				i = end
			}
		}
		for { // close what ends here, up to a comma or the end
			i = s.skip(i)
			if depth == 0 {
				return i, nil
			}
			if i >= len(text) {
				return i, ErrSyntax
			}
			c := text[i]
			if c == ',' {
				at := i
				if i = s.next(s.skip(i+1), objects&1 == 1, open[depth-1]); i < 0 {
					return at, ErrSyntax
				}
				break
			}
			if c != ']'|byte(objects&1)<<5 {
				return i, ErrSyntax
			}
			i++
			depth--
			objects >>= 1
			if doc != nil {
				doc.close(open[depth], i)
			}
		}
	}
}

// whole turns what scan returns into the error of a text that is to be one value and
// nothing else.
func (s *scanner) whole(end int, err error) error {
	if err == nil && end < len(s.text) {
		err = ErrSyntax
	}
	if err == ErrSyntax {
		err = fmt.Errorf("%w at byte %d", err, end)
	}
	return err
}

// next goes from i, where a member or an element begins, to its value; -1 if its key
// is not valid.
func (s *scanner) next(i int, object bool, parent uint32) int {
	if !object {
		if s.doc != nil {
			s.doc.addElement(parent)
		}
		return i
	}
	if i >= len(s.text) || s.text[i] != s.mark {
		return -1
	}
	end, escaped := s.scanString(i)
	if end < 0 {
		return -1
	}
	if s.doc != nil {
		s.doc.addMember(parent, uint32(i+s.lead+1), uint32(end-1), escaped)
	} else if !s.check.key(s.text, parent, i+1, end-1, escaped) {
		return -1
	}
	i = s.skip(end)
	if i >= len(s.text) || s.text[i] != ':' {
		return -1
	}
	return s.skip(i + 1)
}

// skip goes to the next byte that is not white space.
func (s *scanner) skip(i int) int {
	for i < len(s.text) && s.text[i] <= ' ' && s.blanks>>s.text[i]&1 == 1 {
		i++
	}
	return i
}
