package json

import "math/bits"

// members finds a member of any object of a document by its key, without going
// through the object: a table of node numbers by hash. The root, number 0, is no
// member, so that 0 is an empty place.
type members struct {
	table []uint16
	shift int // from a hash to a place in the table
	// scan says that there are members which the table does not have, or does not
	// tell apart, so that objects must be gone through after all.
	scan bool
}

const (
	// near is how many places a member may take beside its own. One that finds
	// them taken is not in the table: no text can make a place far to go to.
	near = 16
	// maxPlaces makes a table of twice as many places as there can be members.
	maxPlaces = 2 * MaxNodes
)

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
	m.scan = false
}

// place is where the search for a member begins. Equal keys of objects that
// follow each other go far apart.
func (m *members) place(parent, hash uint32) uint64 {
	const prime = 0x9e3779b97f4a7c15
	return (uint64(hash) ^ uint64(parent)<<32) * prime >> m.shift
}

// add enters n, which is going to be the last of the nodes. Where its object has
// the key already, it takes the other's place. Keys with escapes are not compared
// here: they are too rare.
func (m *members) add(n *node, nodes []node, text []byte) {
	if n.keyEscaped {
		m.scan = true
		return
	}
	mask := uint64(len(m.table) - 1)
	i := m.place(n.parent, n.hash)
	for range near {
		at := &m.table[i&mask]
		if *at == 0 || nodes[*at].is(n.parent, n.hash) && string(text[nodes[*at].key:nodes[*at].keyEnd]) == string(text[n.key:n.keyEnd]) {
			*at = uint16(len(nodes))
			return
		}
		i++
	}
	m.scan = true
}

func (n *node) is(parent, hash uint32) bool { return n.hash == hash && n.parent == parent }

// find gives the number of the last member with that key, 0 where the object has
// none.
func (d *Document) find(object uint32, key string, hash uint32) uint32 {
	if d.members.scan {
		return d.scan(object, key, hash)
	}
	table := d.members.table
	mask := uint64(len(table) - 1)
	i := d.members.place(object, hash)
	for range near {
		at := uint32(table[i&mask])
		if at == 0 {
			return 0
		}
		if n := &d.nodes[at]; n.is(object, hash) && string(d.text[n.key:n.keyEnd]) == key {
			return at
		}
		i++
	}
	return 0
}

// scan is find, through all members of the object.
func (d *Document) scan(object uint32, key string, hash uint32) (found uint32) {
	end := d.nodes[object].next
	for i := object + 1; i < end; i = d.nodes[i].next {
		if n := &d.nodes[i]; n.hash == hash && string(d.key(n)) == key {
			found = i
		}
	}
	return found
}
