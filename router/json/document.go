package json

import (
	"bytes"
	"errors"
	"fmt"
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

// What Parse and LineChecker refuse; every refusal wraps one of them.
var (
	ErrSyntax   = errors.New("not valid JSON")
	ErrUTF8     = errors.New("not valid UTF-8")
	ErrTooDeep  = fmt.Errorf("JSON nested deeper than %d", MaxDepth)
	ErrTooLarge = fmt.Errorf("JSON of more than %d values", MaxNodes)
)

// node is one value of the document. The nodes stand in the text's order, so a
// container is followed by what it holds, and next is its sibling's number.
type node struct {
	start, end uint32 // the value in the text
	key        uint32 // the key's first byte after its quote; 0 if there is none
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
// If an object names a member twice, the last one counts, as in Python's,
// JavaScript's and Go's own decoders, and AppendTo leaves the others out. Keys are compared decoded, so there is no
// second way to spell one.
//
// One goroutine at a time may use a Document, and one that has Values of it
// must not see it parsed again. Do not copy it.
type Document struct {
	text    []byte
	nodes   []node
	members members
	// repeated says that some object has a member twice.
	repeated bool
	scratch  [2][]byte // for strings that are decoded
}

// keepNodes and keepScratch are the largest index and scratch memory that a Reset keeps:
// notifications have a hundred values, the longest seen three times as many.
const (
	keepNodes   = 8 << 10
	keepScratch = 256 << 10
)

// Reset empties the Document and keeps its memory, unless that has grown far beyond
// what a notification takes.
func (d *Document) Reset() {
	d.forget()
	if cap(d.nodes) > keepNodes {
		d.nodes = nil
	}
	if cap(d.members.table) > 2*keepNodes {
		d.members = members{}
	}
	if cap(d.scratch[0])+cap(d.scratch[1]) > keepScratch {
		d.scratch = [2][]byte{}
	}
}

// Parse checks and indexes text, which the Document refers to from then on and
// which Redact writes into. What was parsed before is forgotten, even if Parse fails.
// NaN, Infinity and -Infinity, which Python writes, are no JSON; they are read as null,
// in a copy of the text.
//
// # Errors
//
// ErrSyntax (RFC 8259 but for NaN, with nothing before or after the one value),
// ErrUTF8, ErrTooDeep, ErrTooLarge.
func (d *Document) Parse(text []byte) error {
	if !utf8.Valid(text) {
		d.forget()
		return ErrUTF8
	}
	s := scanner{text: text, blanks: blanks, mark: '"'}
	err := s.whole(d.index(&s))
	if err != nil {
		d.forget()
	} else if s.nan {
		return d.Parse(d.withoutNaN())
	}
	return err
}

// withoutNaN copies the text with a null for each NaN and infinity.
func (d *Document) withoutNaN() []byte {
	text := make([]byte, 0, len(d.text)+len(d.text)/4)
	copied := uint32(0)
	for i := range d.nodes {
		if n := &d.nodes[i]; n.kind == Null && d.text[n.start] != 'n' {
			text = append(append(text, d.text[copied:n.start]...), "null"...)
			copied = n.end
		}
	}
	return append(text, d.text[copied:]...)
}

// ParseQuoted is Parse for a value that stands in another text as a JSON string, as
// oslo.messaging's envelope has it: text begins behind that string's opening quote, and
// text[end:] with its closing one. It is parsed with its escapes, in one pass, and keeps
// its length: each \" becomes a quote and a space outside the string.
//
// It knows what Python's json.dumps makes of an object with printable ASCII in it
// and no backslash, as nearly every notification is. For anything else, valid or
// not, ok is false, the Document is empty and the text spoilt: Parse knows the rest.
func (d *Document) ParseQuoted(text []byte) (end int, ok bool) {
	s := scanner{text: text, blanks: quotedBlanks, mark: '\\', lead: 1}
	end, err := d.index(&s)
	// Strings were only searched for backslashes. If there are no quotes but theirs,
	// each had its backslash.
	if err != nil || s.nan || !isPrintable(text[:end]) || bytes.Count(text[:end], []byte{'"'}) != 2*s.strings {
		d.forget()
		return 0, false
	}
	d.text = text[:end]
	return end, true
}

// index takes in the value that s reads.
func (d *Document) index(s *scanner) (end int, err error) {
	d.forget()
	if len(s.text) > math.MaxInt32 {
		return 0, ErrTooLarge
	}
	d.text, s.doc = s.text, d
	d.members.reset(len(s.text))
	d.addElement(0)
	return s.scan(s.skip(0), 0, 0)
}

func (d *Document) forget() { d.text, d.nodes, d.repeated = nil, d.nodes[:0], false }

// add makes room for one more node, which still has what was there before: it is
// filled in place, as copying one costs more than the rest.
func (d *Document) add(parent uint32) *node {
	if len(d.nodes) == cap(d.nodes) {
		d.nodes = slices.Grow(d.nodes, 1)
	}
	d.nodes = d.nodes[:len(d.nodes)+1]
	n := &d.nodes[len(d.nodes)-1]
	n.parent = parent
	return n
}

// addElement is add for a value without a key.
func (d *Document) addElement(parent uint32) {
	n := d.add(parent)
	n.key, n.keyEnd, n.hash, n.keyEscaped = 0, 0, 0, false
}

// scalar fills the last node in.
func (d *Document) scalar(start, end int, kind Kind, escaped bool) {
	n := &d.nodes[len(d.nodes)-1]
	n.start, n.end, n.next, n.kind, n.escaped = uint32(start), uint32(end), uint32(len(d.nodes)), kind, escaped
}

// open makes the last node a container, whose number it returns.
func (d *Document) open(start int, bracket byte) uint32 {
	n := &d.nodes[len(d.nodes)-1]
	n.start, n.kind, n.escaped = uint32(start), Array, false
	if bracket == '{' {
		n.kind = Object
	}
	return uint32(len(d.nodes) - 1)
}

func (d *Document) close(container uint32, end int) {
	n := &d.nodes[container]
	n.end, n.next = uint32(end), uint32(len(d.nodes))
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
