package json

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"unicode/utf8"
)

// Kind is the type of a JSON value. The numbers are those of the plugin ABI.
type Kind uint8

// The kinds. Absent is a member that is not there, or that was a secret.
const (
	Absent Kind = iota
	Null
	False
	True
	Number
	String
	Object
	Array
)

// The bounds of a document.
const (
	// MaxDepth is how deep objects and arrays may nest.
	MaxDepth = 64
	// MaxNodes is how many values a document may hold, containers included.
	MaxNodes = 1 << 16
)

// What Parse and CheckLine refuse; every refusal wraps one of them.
var (
	ErrSyntax   = errors.New("not valid JSON")
	ErrUTF8     = errors.New("not valid UTF-8")
	ErrTooDeep  = fmt.Errorf("JSON nested deeper than %d", MaxDepth)
	ErrTooLarge = fmt.Errorf("JSON of more than %d values", MaxNodes)
)

func syntaxError(at int) error { return fmt.Errorf("%w at byte %d", ErrSyntax, at) }

// node is one value of the document. The nodes stand in the text's order, so a
// container is followed by what it holds, and next is where its sibling is.
type node struct {
	start, end uint32 // the value in the text
	key        uint32 // the key's first byte after its quote; 0 where there is none
	keyEnd     uint32 // the key's closing quote
	hash       uint32 // of the decoded key
	parent     uint32 // the container it stands in
	next       uint32
	kind       Kind
	escaped    bool // a string with escapes
	keyEscaped bool
}

// Document is a flat index over a JSON text. The zero value is empty and ready
// to Parse; a Document that is parsed again reuses its memory and, once it has
// seen its largest text, allocates nothing.
//
// Where an object names a member twice, the last one counts, as in Python's,
// JavaScript's and Go's own decoders. Keys are compared decoded, so there is no
// second way to spell one.
//
// One goroutine at a time may use a Document, and one that has Values of it
// must not see it parsed again. Do not copy it.
type Document struct {
	text    []byte
	nodes   []node
	members members
	scratch []byte
}

// keepNodes is the largest index that a Reset keeps: notifications have a hundred
// values, the longest seen three times as many.
const keepNodes = 8 << 10

// Reset empties the Document and keeps its memory, unless that has grown far beyond
// what a notification takes.
func (d *Document) Reset() {
	d.text, d.nodes = nil, d.nodes[:0]
	if cap(d.nodes) > keepNodes {
		d.nodes = nil
	}
	if cap(d.members.table) > 2*keepNodes {
		d.members = members{}
	}
}

// Parse checks and indexes text, which the Document refers to from then on and
// which Redact writes into. What was parsed before is forgotten, also where
// Parse fails.
//
// # Errors
//
// ErrSyntax (RFC 8259, with nothing before or after the one value), ErrUTF8,
// ErrTooDeep, ErrTooLarge.
func (d *Document) Parse(text []byte) error {
	nodes, err := d.parse(text, d.nodes[:0])
	if err != nil {
		d.text, d.nodes = nil, nodes[:0]
		return err
	}
	d.text, d.nodes = text, nodes
	return nil
}

// parse appends the text's nodes to nodes, which it also returns where it fails, for
// their memory. unquoter.parse goes the same steps.
func (d *Document) parse(text []byte, nodes []node) ([]node, error) {
	if len(text) > math.MaxInt32 {
		return nodes, ErrTooLarge
	}
	if !utf8.Valid(text) {
		return nodes, ErrUTF8
	}
	d.members.reset(len(text))
	var open [MaxDepth]uint32 // the containers around i
	depth := 0
	var n node // the next value, so far as its key is known
	for i := skipSpace(text, 0); ; {
		if i >= len(text) {
			return nodes, syntaxError(i)
		}
		if len(nodes) == MaxNodes {
			return nodes, ErrTooLarge
		}
		n.start = uint32(i)
		if c := text[i]; c == '{' || c == '[' {
			if depth == MaxDepth {
				return nodes, ErrTooDeep
			}
			n.kind = Array
			if c == '{' {
				n.kind = Object
			}
			open[depth] = uint32(len(nodes))
			depth++
			nodes = append(nodes, n)
			i = skipSpace(text, i+1)
			if i >= len(text) || text[i] != c+2 { // ']' is '[' + 2, '}' is '{' + 2
				start := n.start
				if i = d.parseKey(&n, nodes, text, open[depth-1], i); i < 0 {
					return nodes, syntaxError(int(start))
				}
				continue
			}
		} else {
			end := 0
			if end, n.kind, n.escaped = scanScalar(text, i); end < 0 {
				return nodes, syntaxError(i)
			}
			i = end
			n.end = uint32(i)
			n.next = uint32(len(nodes) + 1)
			nodes = append(nodes, n)
		}

		// After a value: close what ends here, up to a comma or the end.
		for {
			i = skipSpace(text, i)
			if depth == 0 {
				if i != len(text) {
					return nodes, syntaxError(i)
				}
				return nodes, nil
			}
			if i == len(text) {
				return nodes, syntaxError(i)
			}
			parent := &nodes[open[depth-1]]
			c := text[i]
			if c == ',' {
				at := i
				if i = d.parseKey(&n, nodes, text, open[depth-1], skipSpace(text, i+1)); i < 0 {
					return nodes, syntaxError(at)
				}
				break
			}
			if c != text[parent.start]+2 {
				return nodes, syntaxError(i)
			}
			i++
			parent.end = uint32(i)
			parent.next = uint32(len(nodes))
			depth--
		}
	}
}

// parseKey starts n as what stands next in the container nodes[parent], and
// returns where its value begins, -1 where its key is not valid.
func (d *Document) parseKey(n *node, nodes []node, text []byte, parent uint32, i int) int {
	*n = node{parent: parent}
	if nodes[parent].kind == Array {
		return i
	}
	if i >= len(text) || text[i] != '"' {
		return -1
	}
	end, escaped := scanString(text, i)
	if end < 0 {
		return -1
	}
	n.key, n.keyEnd, n.keyEscaped = uint32(i+1), uint32(end-1), escaped
	n.hash = hashBytes(d.decodedKey(n, text))
	d.members.add(n, nodes, text)
	i = skipSpace(text, end)
	if i >= len(text) || text[i] != ':' {
		return -1
	}
	return skipSpace(text, i+1)
}

// key is the decoded key of n, valid until the next call.
func (d *Document) key(n *node) []byte {
	if n.keyEscaped {
		return d.decodedKey(n, d.text)
	}
	return d.text[n.key:n.keyEnd]
}

func (d *Document) decodedKey(n *node, text []byte) []byte {
	k := text[n.key:n.keyEnd]
	if n.keyEscaped {
		d.scratch = slices.Grow(d.scratch[:0], len(k))[:len(k)]
		k = d.scratch[:unescape(d.scratch, k)]
	}
	return k
}

// Raw is the text that was parsed, secrets blanked.
func (d *Document) Raw() []byte { return d.text }

// Root is the document's one value, Absent before it is parsed.
func (d *Document) Root() Value {
	if len(d.nodes) == 0 {
		return Value{}
	}
	return Value{d: d}
}

// Get finds the value that p points at.
func (d *Document) Get(p Pointer) Value { return d.Root().Get(p) }

// Redact asks about every value but the root, outermost first, whether it is a
// secret: by its key, unless it is an array's element, and by its text, if it is a
// string. Such a value leaves the index, so that it is Absent to Get, and is blanked
// in the text, with all that it held. A key is decoded, and valid until another
// member is looked for; hash is a number for it, the same for the same key. A text
// is as it stands between the quotes, with its escapes.
func (d *Document) Redact(secretKey func(key []byte, hash uint32) bool, secretText func(text []byte, v Value) bool) {
	for i := uint32(1); i < uint32(len(d.nodes)); {
		n := &d.nodes[i]
		secret := n.key != 0 && secretKey(d.key(n), n.hash)
		if !secret && n.kind == String {
			secret = secretText(d.text[n.start+1:n.end-1], Value{d, i})
		}
		if secret && n.kind != Absent {
			d.blank(n)
		}
		if i++; n.kind == Absent {
			i = n.next
		}
	}
}

// blank overwrites a value with `null`, or the shortest of its kind where that
// does not fit, and spaces up to its old length.
func (d *Document) blank(n *node) {
	text := d.text[n.start:n.end]
	short := "null"
	if len(text) < len(short) {
		switch n.kind {
		case String:
			short = `""`
		case Object:
			short = "{}"
		case Array:
			short = "[]"
		default:
			short = "0"
		}
	}
	for i := copy(text, short); i < len(text); i++ {
		text[i] = ' '
	}
	n.kind = Absent
}

// Value is a view of one value of a Document, valid until the Document is
// parsed again. The zero Value is Absent.
type Value struct {
	d *Document
	i uint32
}

// Kind is the value's type.
func (v Value) Kind() Kind {
	if v.d == nil {
		return Absent
	}
	return v.d.nodes[v.i].kind
}

// Raw is the JSON text as it stands, a string with its quotes and escapes; nil
// where the value is Absent. It aliases the document.
func (v Value) Raw() []byte {
	if v.Kind() == Absent {
		return nil
	}
	n := &v.d.nodes[v.i]
	return v.d.text[n.start:n.end]
}

// Size is the most that AppendTo can add, in bytes; of an object or an array, what it
// does add.
func (v Value) Size() int {
	switch v.Kind() {
	case Absent, Null, False, True:
		return 0
	case String:
		return len(v.Raw()) - 2
	}
	return v.d.compactSize(v.i)
}

// AppendTo adds to dst what a reader of the value wants: the decoded text of a
// string, the JSON text of a number, that of an object or an array without white
// space between its parts, and nothing for the others, whose kind says it all. It
// writes within dst's next Size() bytes, and allocates only where dst has no room for
// as many.
func (v Value) AppendTo(dst []byte) []byte {
	switch v.Kind() {
	case Absent, Null, False, True:
		return dst
	case String:
		s := v.Raw()
		s = s[1 : len(s)-1]
		if !v.d.nodes[v.i].escaped {
			return append(dst, s...)
		}
		dst = slices.Grow(dst, len(s))
		n := unescape(dst[len(dst):len(dst)+len(s)], s)
		return dst[:len(dst)+n]
	}
	return v.d.appendCompact(dst, v.i)
}

// compactSize is how much appendCompact appends.
func (d *Document) compactSize(i uint32) int {
	n := &d.nodes[i]
	switch n.kind {
	case Object, Array:
	case Absent:
		return len(bytes.TrimRight(d.text[n.start:n.end], " "))
	default:
		return int(n.end - n.start)
	}
	size := len("[]")
	for j := i + 1; j < n.next; j = d.nodes[j].next {
		if j > i+1 {
			size += len(",")
		}
		if m := &d.nodes[j]; m.key != 0 {
			size += int(m.keyEnd-m.key) + len(`"":`)
		}
		size += d.compactSize(j)
	}
	return size
}

// appendCompact appends the text of a value without the white space in it that is
// not in strings.
func (d *Document) appendCompact(dst []byte, i uint32) []byte {
	n := &d.nodes[i]
	text := d.text[n.start:n.end]
	switch n.kind {
	case Object, Array:
	case Absent: // and blanked
		return append(dst, bytes.TrimRight(text, " ")...)
	default:
		return append(dst, text...)
	}
	dst = append(dst, text[0])
	for j := i + 1; j < n.next; j = d.nodes[j].next {
		if j > i+1 {
			dst = append(dst, ',')
		}
		if m := &d.nodes[j]; m.key != 0 {
			dst = append(dst, d.text[m.key-1:m.keyEnd+1]...)
			dst = append(dst, ':')
		}
		dst = d.appendCompact(dst, j)
	}
	return append(dst, text[len(text)-1])
}

// Text is a copy of the decoded string, empty unless the value is one.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	if !v.d.nodes[v.i].escaped {
		s := v.Raw()
		return string(s[1 : len(s)-1])
	}
	return string(v.AppendTo(nil))
}

// Plain is the inside of a string that has no escapes, without a copy: it
// aliases the document. ok is false for anything else.
func (v Value) Plain() (text []byte, ok bool) {
	if v.Kind() != String || v.d.nodes[v.i].escaped {
		return nil, false
	}
	s := v.Raw()
	return s[1 : len(s)-1], true
}

// Member is the member of an object with that key; of two, the last.
func (v Value) Member(key string) Value { return v.member(key, hashKey(key)) }

func (v Value) member(key string, hash uint32) Value {
	if v.Kind() != Object {
		return Value{}
	}
	if i := v.d.find(v.i, key, hash); i != 0 {
		return Value{v.d, i}
	}
	return Value{}
}

// Element is the element of an array at index, counted from 0.
func (v Value) Element(index int) Value {
	if v.Kind() != Array || index < 0 {
		return Value{}
	}
	nodes := v.d.nodes
	end := nodes[v.i].next
	for i := v.i + 1; i < end; i = nodes[i].next {
		if index == 0 {
			return Value{v.d, i}
		}
		index--
	}
	return Value{}
}

// Elements are the elements of an array in order, none for anything else.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != Array {
			return
		}
		nodes := v.d.nodes
		end := nodes[v.i].next
		for i := v.i + 1; i < end; i = nodes[i].next {
			if !yield(Value{v.d, i}) {
				return
			}
		}
	}
}

// Get finds what p points at, seen from v.
func (v Value) Get(p Pointer) Value {
	for i := range p.segments {
		s := &p.segments[i]
		if v.Kind() == Array {
			v = v.Element(s.index)
		} else {
			v = v.member(s.key, s.hash)
		}
	}
	return v
}
