package json

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// ParseQuoted is Parse for a value that stands in another text as a JSON string, as
// oslo.messaging's envelope has it: text begins behind that string's opening quote, and
// text[end:] with its closing one. It is parsed with its escapes, in one pass, and keeps
// its length: each \" becomes a quote and a space outside the string.
//
// It knows what Python's json.dumps makes of an object with printable ASCII in it
// and no backslash, as nearly every notification is. For anything else, valid or
// not, ok is false, the Document empty and the text spoilt: Parse knows the rest.
func (d *Document) ParseQuoted(text []byte) (end int, ok bool) {
	if len(text) > math.MaxInt32 {
		d.text, d.nodes = nil, d.nodes[:0]
		return 0, false
	}
	d.members.reset(len(text))
	u := unquoter{text: text, members: &d.members}
	nodes, end := u.parse(d.nodes[:0])
	// Where there are no quotes but those of strings, each had its backslash.
	if end < 0 || !isPrintable(text[:end]) || bytes.Count(text[:end], []byte{'"'}) != 2*u.strings {
		d.text, d.nodes = nil, nodes[:0]
		return 0, false
	}
	d.text, d.nodes = text[:end], nodes
	return end, true
}

// isPrintable tells whether text is ASCII without control characters (but DEL, which
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

// unquoter parses a text whose quotes all have a backslash before them.
type unquoter struct {
	text    []byte
	members *members
	strings int // found so far, keys included
}

// parse is Document.parse for such a text, step by step the same: what changes in one
// changes in the other. It stops at the end of the value, which it returns; -1 where
// that is not as it should be.
func (u *unquoter) parse(nodes []node) ([]node, int) {
	var open [MaxDepth]uint32 // the containers around i
	depth := 0
	n, nodes := next(nodes)
	*n = node{}
	for i := 0; ; {
		if i >= len(u.text) || len(nodes) > MaxNodes {
			return nodes, -1
		}
		n.start, n.escaped = uint32(i), false
		switch c := u.text[i]; c {
		case '{', '[':
			if depth == MaxDepth {
				return nodes, -1
			}
			n.kind = Array
			if c == '{' {
				n.kind = Object
			}
			open[depth] = uint32(len(nodes) - 1)
			depth++
			if i++; i == len(u.text) || u.text[i] != c+2 {
				if n, nodes, i = u.key(nodes, open[depth-1], i); i < 0 {
					return nodes, -1
				}
				continue
			}
		case '\\':
			end := u.string(i)
			if end < 0 {
				return nodes, -1
			}
			n.kind, n.start, n.end, n.next = String, uint32(i+1), uint32(end-1), uint32(len(nodes))
			i = end
		case '"': // has no backslash before it
			return nodes, -1
		default:
			if i, n.kind, _ = scanScalar(u.text, i); i < 0 {
				return nodes, -1
			}
			n.end, n.next = uint32(i), uint32(len(nodes))
		}

		// After a value: close what ends here, up to a comma or the end.
		for {
			if depth == 0 {
				return nodes, i
			}
			if i == len(u.text) {
				return nodes, -1
			}
			parent := &nodes[open[depth-1]]
			c := u.text[i]
			if c == ',' {
				if n, nodes, i = u.key(nodes, open[depth-1], skipOne(u.text, i+1)); i < 0 {
					return nodes, -1
				}
				break
			}
			if c != u.text[parent.start]+2 { // ']' is '[' + 2, '}' is '{' + 2
				return nodes, -1
			}
			i++
			parent.end, parent.next = uint32(i), uint32(len(nodes))
			depth--
		}
	}
}

// next makes room for one more node, which still has what was there before: it is
// filled in place, as copying one costs more than the rest.
func next(nodes []node) (*node, []node) {
	nodes = slices.Grow(nodes, 1)
	nodes = nodes[:len(nodes)+1]
	return &nodes[len(nodes)-1], nodes
}

// key is Document.parseKey. The node it starts is the last of nodes.
func (u *unquoter) key(nodes []node, parent uint32, i int) (*node, []node, int) {
	object := nodes[parent].kind == Object
	n, nodes := next(nodes)
	n.parent, n.keyEscaped = parent, false
	if !object {
		n.key, n.keyEnd, n.hash = 0, 0, 0
		return n, nodes, i
	}
	end := u.string(i)
	if end < 0 || end == len(u.text) || u.text[end] != ':' {
		return n, nodes, -1
	}
	n.key, n.keyEnd = uint32(i+2), uint32(end-2)
	n.hash = hashBytes(u.text[n.key:n.keyEnd])
	u.members.add(n, nodes[:len(nodes)-1], u.text)
	return n, nodes, skipOne(u.text, end+1)
}

// string blanks the backslash before the string that begins at i, makes of the \"
// behind it a quote and a space, and returns where that ends.
func (u *unquoter) string(i int) int {
	if i+2 > len(u.text) || u.text[i] != '\\' || u.text[i+1] != '"' {
		return -1
	}
	length := bytes.IndexByte(u.text[i+2:], '\\')
	end := i + 2 + length
	if length < 0 || end+2 > len(u.text) || u.text[end+1] != '"' {
		return -1
	}
	u.text[i], u.text[end], u.text[end+1] = ' ', '"', ' '
	u.strings++
	return end + 2
}

// skipOne skips the one space that may follow a comma or a colon.
func skipOne(b []byte, i int) int {
	if i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}
