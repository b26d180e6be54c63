package hub

// list links values by nodes that they contain, so that nothing is allocated to
// add one and removing one takes the same time wherever it is.
type list[T any] struct {
	first, last *node[T]
	len         int
}

// node is a value's place in a list.
type node[T any] struct {
	prev, next *node[T]
	value      *T // nil while it is in no list
}

// push appends a value whose node n is.
func (l *list[T]) push(n *node[T], value *T) {
	*n = node[T]{prev: l.last, value: value}
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
	l.len++
}

func (l *list[T]) remove(n *node[T]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	*n = node[T]{}
	l.len--
}
