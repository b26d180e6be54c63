package json

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrAmbiguous is what LineChecker refuses though it is valid JSON.
var ErrAmbiguous = errors.New("JSON that readers take differently")

// LineChecker checks that texts are one JSON value each, in valid UTF-8, without a
// line break anywhere and nested no deeper than MaxDepth: what can be put on the
// wire as it stands, in a protocol that ends a message with a line break. And that
// all readers take it alike: no object has a member twice, or one with control
// characters in its name; no string has half a surrogate pair; and numbers are such
// as JavaScript has.
//
// The zero value is ready. It reuses its memory, and allocates nothing unless it
// refuses or sees more members than ever before. One goroutine at a time may use it.
type LineChecker struct {
	// last is the text accepted last.
	last []byte
	// open are the numbers of the objects around the scanner, or of those that were
	// the last at their depth, and objects the number of the last one.
	open    [MaxDepth]uint32
	objects uint32
	// table finds the count members whose which is first or more. It is
	// open-addressed; what it has of others is an empty place.
	table   []member
	first   uint64
	count   int
	scratch [2][]byte
	refusal error
}

// member is one of an object, by where its key stands in the text.
type member struct {
	// which is the object's number and, in the lower half, the key's hash.
	which uint64
	// at has escapedKey if there are escapes in the key.
	at, end uint32
}

const escapedKey = 1 << 31

const (
	leastMembers = 256
	keepMembers  = 4096
)

// Reset forgets the text that was accepted last.
func (c *LineChecker) Reset() {
	c.last = nil
	if len(c.table) > keepMembers {
		c.table = nil
	}
}

// Check checks a text. Of one that begins like the text accepted last it reads only
// the rest: what a plugin sends to admins is mostly what it sent to the project,
// and some members more. It keeps a reference to the text until Reset.
//
// # Errors
//
// ErrSyntax (also for a line break), ErrUTF8, ErrTooDeep, ErrAmbiguous.
func (c *LineChecker) Check(b []byte) error {
	at, depth := c.alike(b)
	if !IsPlain(b[at:]) && !utf8.Valid(b[at:]) {
		return c.refuse(ErrUTF8)
	}
	if at == 0 {
		c.begin()
	}
	s := scanner{text: b, blanks: lineBlanks, mark: '"', check: c}
	end, err := s.scan(s.skip(at), depth, 1<<depth-1)
	if c.refusal != nil {
		return c.refuse(c.refusal)
	}
	if err = s.whole(end, err); err != nil {
		return c.refuse(err)
	}
	c.last = b
	return nil
}

func (c *LineChecker) refuse(err error) error {
	c.last, c.refusal = nil, nil
	return err
}

// alike returns where the rest of b begins if it begins like the text accepted last:
// the end of a member within depth objects.
func (c *LineChecker) alike(b []byte) (at, depth int) {
	// The braces at the end of a JSON text close it. A member ends in front of
	// them, unless the last object is empty; and in b too, if a comma or another
	// brace follows and not more of a number.
	if len(c.last) == 0 {
		return 0, 0
	}
	at = len(bytes.TrimRight(c.last, "}"))
	depth = len(c.last) - at
	if depth == 0 || strings.IndexByte("{ \t", c.last[at-1]) >= 0 ||
		!bytes.HasPrefix(b, c.last[:at]) || len(b) == at || b[at] != ',' && b[at] != '}' {
		return 0, 0
	}
	return at, depth
}

// begin empties the table.
func (c *LineChecker) begin() {
	if c.objects > 1<<31 {
		clear(c.table)
		c.objects = 0
	}
	if c.table == nil {
		c.table = make([]member, leastMembers)
	}
	c.first, c.count = uint64(c.objects+1)<<32, 0
}

// opened begins a container at that depth, and returns its number.
func (c *LineChecker) opened(depth int) uint32 {
	c.objects++
	c.open[depth] = c.objects
	return c.objects
}

// key adds a member to an object, whose key is text[at:end]. It reports whether that
// is allowed.
func (c *LineChecker) key(text []byte, object uint32, at, end int, escaped bool) bool {
	k := text[at:end]
	if escaped {
		if !c.string(text, at, end) {
			return false
		}
		k = c.decoded(k, 0)
	}
	hash, plain := hashPlain(k)
	if !plain && bytes.ContainsFunc(k, unicode.IsControl) {
		return c.wrong("the name %.80q has control characters, at byte %d", k, at-1)
	}
	if 2*c.count >= len(c.table) {
		c.grow()
	}
	which := uint64(object)<<32 | uint64(hash)
	table := c.table
	for i := hash + object*spread; ; i++ {
		m := &table[i&uint32(len(table)-1)]
		if m.which < c.first {
			*m = member{which, uint32(at), uint32(end)}
			if escaped {
				m.at |= escapedKey
			}
			c.count++
			return true
		}
		if m.which == which && string(c.name(text, m)) == string(k) {
			return c.wrong("the member %.80q comes twice in an object, at byte %d", k, at-1)
		}
	}
}

// spread parts the members of one name in different objects.
const spread = 0x9e3779b1

func (c *LineChecker) grow() {
	old := c.table
	c.table = make([]member, 2*len(old))
	mask := uint32(len(c.table) - 1)
	for _, m := range old {
		if m.which < c.first {
			continue
		}
		i := uint32(m.which) + uint32(m.which>>32)*spread
		for c.table[i&mask].which != 0 {
			i++
		}
		c.table[i&mask] = m
	}
}

// name is a member's, without escapes.
func (c *LineChecker) name(text []byte, m *member) []byte {
	k := text[m.at&^escapedKey : m.end]
	if m.at&escapedKey != 0 {
		k = c.decoded(k, 1)
	}
	return k
}

// decoded is a key without its escapes.
func (c *LineChecker) decoded(k []byte, slot int) []byte {
	if cap(c.scratch[slot]) < len(k) {
		c.scratch[slot] = make([]byte, len(k))
	}
	b := c.scratch[slot][:len(k)]
	return b[:unescape(b, k)]
}

// string checks the inside of a string with escapes.
func (c *LineChecker) string(text []byte, at, end int) bool {
	for i := at; i < end; {
		k := bytes.IndexByte(text[i:end], '\\')
		if k < 0 {
			return true
		}
		i += k
		if unescaped[text[i+1]] != 0 {
			i += 2
			continue
		}
		r, next := escapedRune(text[:end], i)
		if r == utf8.RuneError && text[i+2]|0x20 == 'd' {
			return c.wrong("half a surrogate pair, at byte %d", i)
		}
		i = next
	}
	return true
}

const (
	// largestInteger is the largest that JavaScript's numbers tell from the next.
	largestInteger = "9007199254740992"
	// surelyFinite is how many characters a number without an exponent may have and
	// not be infinite.
	surelyFinite = 300
)

// number checks a number of more than four characters, which shorter ones need not be.
func (c *LineChecker) number(text []byte, at, end int) bool {
	n := text[at:end]
	integer, exponent := true, false
	for _, letter := range n {
		integer = integer && letter != '.'
		exponent = exponent || letter|0x20 == 'e'
	}
	digits := bytes.TrimPrefix(n, []byte{'-'})
	switch {
	case exponent || !integer && len(n) > surelyFinite:
		if _, err := strconv.ParseFloat(string(n), 64); err == nil {
			return true
		}
	case !integer, len(digits) < len(largestInteger), len(digits) == len(largestInteger) && string(digits) <= largestInteger:
		return true
	}
	return c.wrong("the number %.40s, which a browser changes, at byte %d; send it as a string", n, at)
}

func (c *LineChecker) wrong(format string, args ...any) bool {
	c.refusal = fmt.Errorf("%w: "+format, append([]any{ErrAmbiguous}, args...)...)
	return false
}
