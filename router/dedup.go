package router

// dedupWindow remembers the latest message ids, by hash, to recognise a message
// that RabbitMQ delivers again or that a publisher sent twice. Two different ids
// have the same hash with a probability of the window's size / 2^64.
type dedupWindow struct {
	ring []uint64
	next int
	set  map[uint64]struct{}
}

func newDedupWindow(size int) dedupWindow {
	return dedupWindow{ring: make([]uint64, size), set: make(map[uint64]struct{}, size)}
}

// add remembers id, and reports whether it was there already. A window of size 0
// remembers nothing.
func (w *dedupWindow) add(id uint64) (seen bool) {
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
