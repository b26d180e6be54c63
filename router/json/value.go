package json

import (
	"bytes"
	"iter"
	"slices"
	"unsafe"
)

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
// if the value is Absent. It aliases the document.
func (v Value) Raw() []byte {
	if v.Kind() == Absent {
		return nil
	}
	n := &v.d.nodes[v.i]
	return v.d.text[n.start:n.end]
}

// Nodes is how many values there are in the value, itself included; 0 if it is Absent.
func (v Value) Nodes() int {
	if v.d == nil {
		return 0
	}
	return int(v.d.nodes[v.i].next - v.i)
}

// Around is the document's text before and after the value. It aliases the document.
func (v Value) Around() (before, after []byte) {
	if v.d == nil {
		return nil, nil
	}
	n := &v.d.nodes[v.i]
	return v.d.text[:n.start], v.d.text[n.end:]
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
		if d.overridden(j) {
			continue
		}
		if size > len("[]") {
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
	some := false
	for j := i + 1; j < n.next; j = d.nodes[j].next {
		if d.overridden(j) {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
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

// Member is the member of an object with that key; of several, the last.
func (v Value) Member(key string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	k := unsafe.Slice(unsafe.StringData(key), len(key))
	return v.member(k, hashKey(k))
}

// member is Member for an object.
func (v Value) member(key []byte, hash uint32) Value {
	if i := *v.d.find(v.i, key, hash); i != 0 {
		return Value{v.d, uint32(i)}
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

// Key is the decoded name that the value has in its object, empty in an array. It is
// valid until another member is looked for.
func (v Value) Key() []byte {
	if v.d == nil || v.d.nodes[v.i].key == 0 {
		return nil
	}
	return v.d.key(&v.d.nodes[v.i], 0)
}

// Get finds what p points at, seen from v.
func (v Value) Get(p Pointer) Value {
	for i := range p.segments {
		s := &p.segments[i]
		switch v.Kind() {
		case Object:
			v = v.member(s.key, s.hash)
		case Array:
			v = v.Element(s.index)
		default:
			return Value{}
		}
	}
	return v
}
