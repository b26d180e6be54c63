package rabbit

import "sync/atomic"

// unacked keeps the deliveries of a channel, in order, until they are
// acknowledged, so that many can be acknowledged at a time: RabbitMQ is sent the
// last tag before the first that is not settled.
//
// One goroutine calls claim, another advance, any settle. RabbitMQ numbers a
// channel's deliveries from 1 without gaps, and sends at most prefetch more than
// were acknowledged, so tag modulo a size of at least prefetch is a free slot.
type unacked struct {
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

func newUnacked(prefetch int) *unacked {
	size := 1
	for size < prefetch {
		size *= 2
	}
	return &unacked{slots: make([]atomic.Uint64, size), mask: uint64(size - 1)}
}

// claim enters the next delivery. It reports false if the broker broke a rule: a
// tag out of turn, or more deliveries than the prefetch allows.
func (u *unacked) claim(tag uint64) bool {
	if tag != u.claimed.Load()+1 || tag-u.acked.Load() > uint64(len(u.slots)) {
		return false
	}
	u.slots[tag&u.mask].Store(tag)
	u.claimed.Store(tag)
	return true
}

// settle marks a delivery as done with. It reports false if it was settled or
// rejected before.
func (u *unacked) settle(tag uint64) bool {
	return u.slots[tag&u.mask].CompareAndSwap(tag, tag|settled)
}

// reject marks a delivery for which settleRejected will be called. It reports false
// if it was settled or rejected before.
func (u *unacked) reject(tag uint64) bool {
	return u.slots[tag&u.mask].CompareAndSwap(tag, tag|rejected)
}

func (u *unacked) settleRejected(tag uint64) bool {
	return u.slots[tag&u.mask].CompareAndSwap(tag|rejected, tag|settled)
}

// settledUpTo returns the last tag before the first that is not settled. It may be
// the last one acknowledged.
func (u *unacked) settledUpTo() uint64 {
	tag := u.acked.Load()
	for last := u.claimed.Load(); tag < last; tag++ {
		if next := tag + 1; u.slots[next&u.mask].Load() != next|settled {
			break
		}
	}
	return tag
}

// advance frees the slots up to tag. It must come before the acknowledgement is
// sent, because the broker answers that with further deliveries at once.
func (u *unacked) advance(tag uint64) { u.acked.Store(tag) }

// count is how many deliveries are not acknowledged.
func (u *unacked) count() int {
	acked := u.acked.Load() // first: claimed is never behind it
	return int(u.claimed.Load() - acked)
}
