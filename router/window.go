package router

// window remembers the last so many message ids, by hash, to tell a message
// that RabbitMQ delivers again or that a publisher sent twice. Two different
// ids meet in one hash with a chance of window size / 2^64.
type window struct {
	ring []uint64
	next int
	set  map[uint64]struct{}
}

func newWindow(size int) window {
	return window{ring: make([]uint64, size), set: make(map[uint64]struct{}, size)}
}

// add remembers id, and tells whether it was there already. A window of size 0
// remembers nothing.
func (w *window) add(id uint64) (seen bool) {
	if len(w.ring) == 0 {
		return false
	}
	if _, seen = w.set[id]; seen {
		return true
	}
	delete(w.set, w.ring[w.next])
	w.ring[w.next] = id
	w.set[id] = struct{}{}
	w.next = (w.next + 1) % len(w.ring)
	return false
}
