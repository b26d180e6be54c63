package hub

import (
	"context"
	"crypto/rand"
	"sync/atomic"
)

// Log is where publications come in, and what numbers them. There is one for a
// single router, local; replicas that share a log, such as a RabbitMQ stream,
// number their publications by their place in it, so that any of them can
// recover a client of any other.
type Log interface {
	// Append adds a publication. Project, Key and Data are copied before it returns. It
	// blocks while the log has no room.
	Append(p Publication) error
	// Follow hands what was appended to apply, in order, until ctx is done. An
	// apply that blocks holds the log up.
	Follow(ctx context.Context, apply func(p Publication) error) error
	// Draw gives the offset of the publication that is being applied. Offsets
	// rise, are above 0 and at most 2^53-1, what a JavaScript client can count
	// to; those of one channel may be sparse.
	Draw() uint64
	// Position is the highest offset drawn, and the epoch it is of: never empty,
	// and another one whenever earlier offsets mean nothing any more.
	Position() (epoch string, offset uint64)
}

// local is the log of a router that stands alone: it stores nothing and goes
// straight to the shards. Its offsets are drawn as a shard applies a
// publication, so a shard that has applied offset n has nothing below n left.
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
