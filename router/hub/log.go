package hub

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"
)

// Log accepts publications and numbers them. A single router has local. Replicas
// that share a log, such as a RabbitMQ stream, number publications by what is in it, so
// that each of them can recover the others' clients. An offset must not tell who hears one
// channel how much is published to others.
type Log interface {
	// Append adds a publication. Project, Key and Data are copied before it returns. It
	// blocks while the log has no room.
	Append(p Publication) error
	// Follow calls apply with what was appended, in order, until ctx is done. An
	// apply that blocks holds up the log.
	Follow(ctx context.Context, apply func(p Publication) error) error
	// Draw returns the offset of the publication that is being applied. Offsets rise
	// from 1 to at most 2^53-1, the largest integer of JavaScript. They have gaps.
	Draw() uint64
	// Position is the epoch, and an offset that is at least as high as all drawn in it
	// so far, and lower than the next. The epoch is never empty, and changes whenever
	// earlier offsets lose their meaning.
	Position() (epoch string, offset uint64)
}

// local is the log of a single router. It stores nothing and goes straight to the
// shards. Offsets are drawn when a shard applies a publication, so a shard that has
// applied offset n has nothing below n left to apply.
//
// An offset is the time since the epoch began, in microseconds, or one more than
// the last if that is higher. A count of publications would tell each project how
// many the others have.
type local struct {
	epoch string
	now   func() uint64 // since the epoch began, in microseconds
	top   atomic.Uint64 // the highest offset drawn, or told as a position
	apply func(p Publication) error
}

func newLocal(apply func(Publication) error) *local {
	began := time.Now()
	now := func() uint64 { return uint64(time.Since(began) / time.Microsecond) }
	return &local{epoch: rand.Text()[:10], now: now, apply: apply}
}

// goOn continues the epoch of a router that ran before. Its clock may have been ahead.
func (l *local) goOn(from handover, at time.Time) {
	base := max(from.Top, uint64(max(0, at.Sub(from.Began)/time.Microsecond)))
	began := time.Now()
	l.epoch, l.now = from.Epoch, func() uint64 { return base + uint64(time.Since(began)/time.Microsecond) }
	l.top.Store(from.Top)
}

// CountOffsets makes time stand still in a hub that nothing was published to, so that
// its offsets count publications. It is for tests.
func (h *Hub) CountOffsets() { h.events.(*local).now = func() uint64 { return 0 } }

func (l *local) Append(p Publication) error { return l.apply(p) }

func (l *local) Follow(ctx context.Context, _ func(Publication) error) error {
	<-ctx.Done()
	return nil
}

func (l *local) Draw() uint64 { return l.raise(1) }

func (l *local) Position() (string, uint64) { return l.epoch, l.raise(0) }

// raise raises top by more, or to the present time if that is higher, and returns it.
func (l *local) raise(more uint64) uint64 {
	now := l.now()
	for {
		top := l.top.Load()
		next := max(top+more, now)
		if l.top.CompareAndSwap(top, next) {
			return next
		}
	}
}
