package rabbit

import "sync/atomic"

// window keeps, in delivery order, which deliveries of a channel are settled,
// so that they can be acknowledged many at a time: RabbitMQ is told the last tag
// of the settled prefix.
//
// claim is called by one goroutine, advance by another, settle by any. RabbitMQ
// numbers the deliveries of a channel from 1 without gaps, and sends at most
// prefetch more than were acknowledged, so tag modulo a size of at least
// prefetch is a place of its own.
type window struct {
	// slots hold a tag, with the bit rejected or settled once it is.
	slots []atomic.Uint64
	mask  uint64
	// claimed is the last tag delivered, acked the last one acknowledged.
	claimed, acked atomic.Uint64
}

const (
	settled  = 1 << 63
	rejected = 1 << 62 // on its way to the dead letters
)

func newWindow(prefetch int) *window {
	size := 1
	for size < prefetch {
		size *= 2
	}
	return &window{slots: make([]atomic.Uint64, size), mask: uint64(size - 1)}
}

// claim enters the next delivery. It is false if the broker broke its promise:
// a tag out of turn, or more of them than the prefetch allows.
func (w *window) claim(tag uint64) bool {
	if tag != w.claimed.Load()+1 || tag-w.acked.Load() > uint64(len(w.slots)) {
		return false
	}
	w.slots[tag&w.mask].Store(tag)
	w.claimed.Store(tag)
	return true
}

// settle marks a delivery as done with. It is false if it was settled or
// rejected before.
func (w *window) settle(tag uint64) bool {
	return w.slots[tag&w.mask].CompareAndSwap(tag, tag|settled)
}

// reject marks a delivery as one that settleRejected is still to be called for.
// It is false if it was settled or rejected before.
func (w *window) reject(tag uint64) bool {
	return w.slots[tag&w.mask].CompareAndSwap(tag, tag|rejected)
}

func (w *window) settleRejected(tag uint64) bool {
	return w.slots[tag&w.mask].CompareAndSwap(tag|rejected, tag|settled)
}

// settledUpTo returns the last tag of the settled prefix, which may be the last
// one acknowledged.
func (w *window) settledUpTo() uint64 {
	tag := w.acked.Load()
	for last := w.claimed.Load(); tag < last; tag++ {
		if next := tag + 1; w.slots[next&w.mask].Load() != next|settled {
			break
		}
	}
	return tag
}

// advance makes room for as many deliveries as were acknowledged with tag. It
// must come before the acknowledgement is sent: the broker answers that with
// further deliveries at once.
func (w *window) advance(tag uint64) { w.acked.Store(tag) }

// unacked is how many deliveries are with us.
func (w *window) unacked() int {
	acked := w.acked.Load() // first: claimed is never behind it
	return int(w.claimed.Load() - acked)
}
