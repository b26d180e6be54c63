package event

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// LoadQuoted is Load for an object that stands in another text as a JSON string,
// as oslo.messaging's envelope has it: quoted begins behind that string's opening
// quote, and rest with its closing one. Taking the escapes out and parsing are one
// pass, which looks at each string once.
//
// It knows what Python's json.dumps makes of an object with printable ASCII in it
// and no backslash, as nearly every notification is. For anything else, valid or
// not, ok is false and the notification's content gone: Load knows the rest.
func (n *Notification) LoadQuoted(quoted []byte) (rest []byte, ok bool) {
	if len(quoted) > math.MaxInt32 {
		return nil, false
	}
	buf := slices.Grow(n.buf[:0], len(quoted)+chunk)
	u := unquoter{src: quoted, dst: buf[:cap(buf)], members: &n.members}
	n.members.reset(len(quoted))
	nodes, end := u.parse(n.nodes[:0])
	n.text, n.nodes, n.buf = nil, nodes[:0], buf
	if end < 0 || !isPlain(quoted[:end]) {
		return nil, false
	}
	n.buf = u.dst[:u.n]
	n.text, n.nodes = n.buf, nodes
	return quoted[end:], true
}

// isPlain tells whether text is printable ASCII with as many quotes as backslashes:
// where each backslash has a quote behind it, each quote has a backslash before it.
func isPlain(text []byte) bool {
	if bytes.Count(text, []byte{'"'}) != bytes.Count(text, []byte{'\\'}) {
		return false
	}
	var odd uint64
	for ; len(text) >= 8; text = text[8:] {
		w := binary.LittleEndian.Uint64(text)
		odd |= w | (w - ones*' ')
	}
	for _, c := range text {
		odd |= uint64(c | (c - ' '))
	}
	return odd&highs == 0
}

// unquoter takes the escapes out of src, which has none but \".
type unquoter struct {
	src, dst []byte
	// n bytes are in dst, and the next of them is src[from].
	n, from int
	members *members
}

// chunk is how many bytes are copied at once. Nearly all strings are shorter.
const chunk = 48

// copy copies up to src[to].
func (u *unquoter) copy(to int) {
	n := to - u.from
	if n <= chunk && u.from+chunk <= len(u.src) {
		to, from := (*[chunk]byte)(u.dst[u.n:]), (*[chunk]byte)(u.src[u.from:])
		*(*[16]byte)(to[:]) = *(*[16]byte)(from[:])
		*(*[16]byte)(to[16:]) = *(*[16]byte)(from[16:])
		*(*[16]byte)(to[32:]) = *(*[16]byte)(from[32:])
	} else {
		copy(u.dst[u.n:], u.src[u.from:to])
	}
	u.n += n
	u.from = to
}

// at is where in dst the byte src[i] will be.
func (u *unquoter) at(i int) uint32 { return uint32(u.n + i - u.from) }

// parse is Document.parse, and stops at the end of the object, which it returns as
// its place in src; -1 where the object is not as it should be.
func (u *unquoter) parse(nodes []node) ([]node, int) {
	var open [MaxDepth]uint32 // the containers around i
	depth := 0
	n, nodes := next(nodes)
	*n = node{}
	for i := 0; ; {
		if i >= len(u.src) || len(nodes) > MaxNodes {
			return nodes, -1
		}
		n.start, n.escaped = u.at(i), false
		switch c := u.src[i]; c {
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
			if i++; i == len(u.src) || u.src[i] != c+2 {
				if n, nodes, i = u.key(nodes, open[depth-1], i); i < 0 {
					return nodes, -1
				}
				continue
			}
		case '\\':
			if i = u.string(i); i < 0 {
				return nodes, -1
			}
			n.kind, n.end, n.next = String, u.at(i), uint32(len(nodes))
		default:
			if i, n.kind, _ = scanScalar(u.src, i); i < 0 {
				return nodes, -1
			}
			n.end, n.next = u.at(i), uint32(len(nodes))
		}

		// After a value: close what ends here, up to a comma or the end.
		for {
			if depth == 0 {
				u.copy(i)
				return nodes, i
			}
			if i == len(u.src) {
				return nodes, -1
			}
			parent := &nodes[open[depth-1]]
			c := u.src[i]
			if c == ',' {
				if n, nodes, i = u.key(nodes, open[depth-1], skipOne(u.src, i+1)); i < 0 {
					return nodes, -1
				}
				break
			}
			if c != ']' && c != '}' || (c == '}') != (parent.kind == Object) {
				return nodes, -1
			}
			i++
			parent.end, parent.next = u.at(i), uint32(len(nodes))
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
	n.parent = parent
	if !object {
		n.key, n.keyEnd, n.hash, n.keyEscaped = 0, 0, 0, false
		return n, nodes, i
	}
	if i >= len(u.src) || u.src[i] != '\\' {
		return n, nodes, -1
	}
	n.key = u.at(i) + 1
	end := u.string(i)
	if end < 0 || end == len(u.src) || u.src[end] != ':' {
		return n, nodes, -1
	}
	n.keyEnd, n.keyEscaped = uint32(u.n), false
	n.hash = hashBytes(u.src[i+2 : end-2])
	u.members.add(n, nodes[:len(nodes)-1], u.dst)
	return n, nodes, skipOne(u.src, end+1)
}

// string takes over the string that begins at src[i] with its backslash, and returns
// where it ends.
func (u *unquoter) string(i int) int {
	if i+2 > len(u.src) || u.src[i+1] != '"' {
		return -1
	}
	u.copy(i)
	u.from = i + 1
	end := bytes.IndexByte(u.src[i+2:], '\\')
	if end < 0 {
		return -1
	}
	end += i + 2
	if end+2 > len(u.src) || u.src[end+1] != '"' {
		return -1
	}
	u.copy(end)
	u.from = end + 1
	return end + 2
}

// skipOne skips the one space that may follow a comma or a colon.
func skipOne(b []byte, i int) int {
	if i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}
