package json

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// members finds a member of any object of a document by its key, without going
// through the object: an open-addressed table of node numbers. The root, number 0, is
// no member, so that 0 is an empty place.
type members struct {
	table []uint16
	shift int // from a hash to a place in the table
}

// maxPlaces makes a table of twice as many places as there can be members.
const maxPlaces = 2 * MaxNodes

// reset empties the table, for a text of so many bytes. A member takes five of
// them at least, and mostly more than ten, so that most places stay empty.
func (m *members) reset(textBytes int) {
	places := min(1<<bits.Len(uint(textBytes/4)), maxPlaces)
	if places > cap(m.table) {
		m.table = make([]uint16, places)
	} else {
		m.table = m.table[:places]
		clear(m.table)
	}
	m.shift = 64 - bits.TrailingZeros(uint(places))
}

// place is where the search for a member begins.
func (m *members) place(parent, hash uint32) uint64 {
	return mix(uint64(hash)^secrets[0], uint64(parent)^secrets[1]) >> m.shift
}

// addMember is add for the value of a member of the object, whose key stands at
// d.text[key:keyEnd]. If the object has it already, the new one takes the other's place.
func (d *Document) addMember(object, key, keyEnd uint32, escaped bool) {
	n := d.add(object)
	n.key, n.keyEnd, n.keyEscaped = key, keyEnd, escaped
	k := d.key(n, 0)
	n.hash = hashKey(k)
	at := &d.members.table[d.members.place(object, n.hash)&uint64(len(d.members.table)-1)]
	if *at != 0 {
		at = d.find(object, k, n.hash)
		d.repeated = d.repeated || *at != 0
	}
	*at = uint16(len(d.nodes) - 1)
}

// find gives the place in the table of the last member with that key, or the empty one
// that it would take.
func (d *Document) find(object uint32, key []byte, hash uint32) *uint16 {
	table, nodes := d.members.table, d.nodes
	for i := d.members.place(object, hash); ; i++ {
		at := &table[i&uint64(len(table)-1)]
		if *at == 0 {
			return at
		}
		if n := &nodes[*at]; n.hash == hash && n.parent == object && bytes.Equal(d.key(n, 1), key) {
			return at
		}
	}
}

// overridden reports whether a later member of the object has the key of the i-th
// node.
func (d *Document) overridden(i uint32) bool {
	n := &d.nodes[i]
	return d.repeated && n.key != 0 && uint32(*d.find(n.parent, d.key(n, 0), n.hash)) != i
}

// key is the decoded key of n. One with escapes is valid until the next call of decode
// with the same slot, 0 or 1.
func (d *Document) key(n *node, slot int) []byte {
	k := d.text[n.key:n.keyEnd]
	if n.keyEscaped {
		k = d.decode(k, slot)
	}
	return k
}

// decode decodes the inside of a string.
func (d *Document) decode(text []byte, slot int) []byte {
	decoded := slices.Grow(d.scratch[slot][:0], len(text))[:len(text)]
	d.scratch[slot] = decoded
	return decoded[:unescape(decoded, text)]
}

// secrets make places in the table unforeseeable, so that nobody can send a message
// whose members all want the same one.
var secrets = [4]uint64{rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64()}

// hashKey mixes a member's key with the process's secrets, sixteen bytes at a time, as
// wyhash does. Equal hashes only mean that the keys are worth comparing.
func hashKey(k []byte) uint32 {
	h := secrets[2] ^ uint64(len(k))
	for len(k) > 16 {
		h = mix(word8(k)^secrets[3], word8(k[8:])^h)
		k = k[16:]
	}
	var a, b uint64
	switch n := len(k); {
	case n >= 8:
		a, b = word8(k), word8(k[n-8:])
	case n >= 4:
		a, b = word4(k), word4(k[n-4:])
	case n > 0:
		a = uint64(k[0]) | uint64(k[n/2])<<8 | uint64(k[n-1])<<16
	}
	return uint32(mix(a^secrets[3], b^h))
}

// hashPlain is hashKey, and reports whether k is surely ASCII without control
// characters.
func hashPlain(k []byte) (hash uint32, plain bool) {
	n := len(k)
	if n < 4 || n > 16 {
		return hashKey(k), IsPlain(k)
	}
	h := secrets[2] ^ uint64(n)
	var a, b, w uint64
	if n >= 8 {
		a, b = word8(k), word8(k[n-8:])
		w = (b - ones*' ') | (b + ones) | b
		w |= (a - ones*' ') | (a + ones) | a
	} else {
		a, b = word4(k), word4(k[n-4:])
		w = a | b<<32
		w |= (w - ones*' ') | (w + ones)
	}
	return uint32(mix(a^secrets[3], b^h)), w&highs == 0
}

// mix multiplies and folds the product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func word8(k []byte) uint64 {
	_ = k[7]
	return uint64(k[0]) | uint64(k[1])<<8 | uint64(k[2])<<16 | uint64(k[3])<<24 |
		uint64(k[4])<<32 | uint64(k[5])<<40 | uint64(k[6])<<48 | uint64(k[7])<<56
}

func word4(k []byte) uint64 {
	_ = k[3]
	return uint64(k[0]) | uint64(k[1])<<8 | uint64(k[2])<<16 | uint64(k[3])<<24
}
