package hub

import (
	"context"
	"crypto/rand"
	"sync/atomic"
)

// Log accepts publications and numbers them. A single router has local. Replicas
// that share a log, such as a RabbitMQ stream, number publications by their place in
// it, so that each of them can recover the others' clients.
type Log interface {
	// Append adds a publication. Project, Key and Data are copied before it returns. It
	// blocks while the log has no room.
	Append(p Publication) error
	// Follow calls apply with what was appended, in order, until ctx is done. An
	// apply that blocks holds up the log.
	Follow(ctx context.Context, apply func(p Publication) error) error
	// Draw returns the offset of the publication that is being applied. Offsets rise
	// from 1 to at most 2^53-1, the largest integer of JavaScript. Those of one channel
	// may have gaps.
	Draw() uint64
	// Position is the epoch and the highest offset drawn in it. The epoch is never
	// empty, and changes whenever earlier offsets lose their meaning.
	Position() (epoch string, offset uint64)
}

// local is the log of a single router. It stores nothing and goes straight to the
// shards. Offsets are drawn when a shard applies a publication, so a shard that has
// applied offset n has nothing below n left to apply.
type local struct {
	epoch string
	top   atomic.Uint64
	apply func(p Publication) error
}

func newLocal(apply func(Publication) error) *local {
	return &local{epoch: rand.Text()[:10], apply: apply}
}

func (l *local) Append(p Publication) error { return l.apply(p) }

func (l *local) Follow(ctx context.Context, _ func(Publication) error) error {
	<-ctx.Done()
	return nil
}

func (l *local) Draw() uint64 { return l.top.Add(1) }

func (l *local) Position() (string, uint64) { return l.epoch, l.top.Load() }
