package json

// Siblings are pointers of one segment, to members that are looked for in one
// object at a time. They are made once and do not change while they are used.
type Siblings struct {
	pointers []Pointer
	// table has the numbers of the pointers, from 1, by their keys' hashes; those
	// that find their place taken stand behind it. It is nil where one of them has no
	// key.
	table []uint8
}

const (
	// MaxSiblings is how many there can be.
	MaxSiblings = 64
	// longWalk is how many values an object may hold that is gone through. Searches
	// do not depend on it, so that no message makes each filter's fields dear.
	longWalk = 1024
)

// Add adds a pointer of one segment, or of none. It is not called for more than
// MaxSiblings.
func (s *Siblings) Add(p Pointer) {
	s.pointers = append(s.pointers, p)
	s.table = nil
	table := make([]uint8, 4*MaxSiblings) // three of four places at least are empty
	for i, p := range s.pointers {
		if len(p.segments) != 1 {
			return
		}
		at := uint8(p.segments[0].hash)
		for table[at] != 0 {
			at++
		}
		table[at] = uint8(i + 1)
	}
	s.table = table
}

// GetAll fills found with what Get finds for each pointer, but goes through the object
// once, which touches less memory than finding more than a few members one after the
// other.
func (v Value) GetAll(s *Siblings, found []Value) {
	if v.Kind() != Object || s.table == nil || v.d.nodes[v.i].next-v.i > longWalk {
		for i := range s.pointers {
			found[i] = v.Get(s.pointers[i])
		}
		return
	}
	clear(found[:len(s.pointers)])
	nodes, table := v.d.nodes, (*[4 * MaxSiblings]uint8)(s.table)
	end := nodes[v.i].next
	for i := v.i + 1; i < end; i = nodes[i].next {
		n := &nodes[i]
		for at := uint8(n.hash); table[at] != 0; at++ {
			number := int(table[at]) - 1
			if p := &s.pointers[number].segments[0]; p.hash == n.hash && string(v.d.key(n)) == p.key {
				found[number] = Value{v.d, i}
			}
		}
	}
}
