package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/event"
)

// ErrClosed is what Publish, Subscribe and Unsubscribe return once Run has
// stopped.
var ErrClosed = errors.New("the hub has stopped")

// maxKey bounds Publication.Key, in bytes.
const maxKey = 256

// Publication is something new in a channel.
type Publication struct {
	// Channel is concrete.
	Channel event.Channel
	// Project owns what happened. Of a user's channel only that user's
	// subscriptions in this project hear it; empty: all of them do. In other
	// channels it means nothing.
	Project string
	// Key is the id of the resource, may be empty, and is at most 256 bytes.
	Key []byte
	// Data is one JSON value without a line break, as json.LineChecker checks.
	Data []byte
	// Removed says that the resource is gone.
	Removed bool
	// At is when it happened; zero if that is not known.
	At time.Time
}

// Hub is the shards and the log they follow. Its methods may be called
// concurrently.
type Hub struct {
	cfg    Config
	log    *slog.Logger
	events Log
	seed   maphash.Seed
	shards []*shard
	*metrics
}

// New makes a hub. It accepts publications and subscriptions from now on, and
// handles them once Run runs.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) *Hub {
	h := &Hub{cfg: cfg, log: log, seed: maphash.MakeSeed(), metrics: newMetrics(reg)}
	h.begin()
	h.resume()
	return h
}

// begin has the hub know nothing yet.
func (h *Hub) begin() {
	h.events = newLocal(h.apply)
	h.shards = nil
	n := h.cfg.shards()
	for range n {
		h.shards = append(h.shards, newShard(h, n))
	}
}

// Run handles publications and subscriptions until ctx is done, then those that
// were accepted by then, and returns when the shards have stopped.
//
// # Errors
//
// The log could not be followed any further.
func (h *Hub) Run(ctx context.Context) error {
	var shards sync.WaitGroup
	stop := make(chan struct{})
	for _, s := range h.shards {
		shards.Go(func() { s.run(stop) })
	}
	err := h.events.Follow(ctx, h.apply)
	close(stop)
	shards.Wait()
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	return nil
}

// Publish hands a publication to all subscribers of its channel and to its
// history. Project, Key and Data are copied. It blocks while the shard is too busy, never
// on a client.
//
// # Errors
//
// A publication that clients could not be sent, or ErrClosed.
func (h *Hub) Publish(p Publication) error {
	if err := h.check(&p); err != nil {
		return err
	}
	h.publications.Inc()
	return h.events.Append(p)
}

func (h *Hub) check(p *Publication) error {
	switch {
	case p.Channel.Topic == "" || p.Channel.Wildcard():
		return fmt.Errorf("publish to %q: %w", p.Channel.Name, event.ErrChannel)
	case len(p.Data) == 0 || bytes.IndexByte(p.Data, '\n') >= 0:
		return fmt.Errorf("publish to %s: the data must be one JSON value without line breaks", p.Channel.Name)
	case len(p.Data) > h.cfg.MessageBytes:
		return fmt.Errorf("publish to %s: %d bytes are over the limit of %d; raise [hub] message_bytes",
			p.Channel.Name, len(p.Data), h.cfg.MessageBytes)
	case len(p.Key) > maxKey:
		return fmt.Errorf("publish to %s: a key of %d bytes is over the limit of %d", p.Channel.Name, len(p.Key), maxKey)
	}
	return nil
}

// apply gives a publication to its shard, unless nobody can hear it, now or later.
func (h *Hub) apply(p Publication) error {
	group := h.group(p.Channel)
	s := h.shard(group)
	if h.cfg.HistorySize == 0 && s.wanted.Load() == 0 {
		return nil
	}
	return s.enqueue(group, &command{verb: publish, Publication: p})
}

// Subscribe adds a subscription; its subscriber gets the answer, with the same id.
// Each publication is either recovered or delivered afterwards, never both, never
// neither.
//
// # Errors
//
// ErrClosed.
func (h *Hub) Subscribe(sub *Subscription, id uint32) error {
	h.shard(h.group(sub.Channel)).wanted.Add(1)
	return h.put(sub.Channel, command{verb: subscribe, sub: sub, id: id})
}

// Unsubscribe removes a subscription; its subscriber gets the answer, with the same
// id.
//
// # Errors
//
// ErrClosed.
func (h *Hub) Unsubscribe(sub *Subscription, id uint32) error {
	return h.put(sub.Channel, command{verb: unsubscribe, sub: sub, id: id})
}

// Position is the epoch and the offset of the latest publication. A client that has
// the present state recovers from there.
func (h *Hub) Position() (epoch string, offset uint64) { return h.events.Position() }

// put queues a command other than publish at its channel's shard.
func (h *Hub) put(channel event.Channel, c command) error {
	c.Channel = channel
	group := h.group(channel)
	return h.shard(group).enqueue(group, &c)
}

// group is a number for a channel's group.
func (h *Hub) group(c event.Channel) uint64 { return maphash.String(h.seed, c.Group()) }

func (h *Hub) shard(group uint64) *shard { return h.shards[group%uint64(len(h.shards))] }
