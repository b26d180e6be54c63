package hub

import (
	"errors"
	"slices"

	"horizon-realtime/router/event"
)

// ErrPosition is what View.History returns if something is missing after the
// position.
var ErrPosition = errors.New("the history does not reach back to that position")

// ErrRoom is what View.History returns if there is no room for a single
// publication.
var ErrRoom = errors.New("no room for an answer")

// View is what a shard knows about one channel. It is valid during the call that it
// is passed to.
type View struct {
	shard *shard
	group *group   // nil if it is not known
	ch    *channel // likewise
}

// Inspect has the shard of a concrete channel call f, in order with the channel's
// publications and subscriptions. Like a Subscriber's methods, f must not block.
//
// # Errors
//
// ErrClosed.
func (h *Hub) Inspect(c event.Channel, f func(*View)) error {
	return h.put(c, command{verb: inspect, inspect: f})
}

func (s *shard) inspect(c event.Channel, f func(*View)) {
	s.expire()
	f(&View{s, s.groups[c.Group()], s.channels[c.Name]})
}

// Subscriptions is how many hear the channel, including those to the wildcard.
func (v *View) Subscriptions() (n int) {
	v.eachFan(func(f *fan) { n += len(f.subs) })
	return n
}

// Each calls f with each of them, in no order.
func (v *View) Each(f func(*Subscription)) {
	v.eachFan(func(fan *fan) {
		for _, sub := range fan.subs {
			f(sub)
		}
	})
}

func (v *View) eachFan(do func(*fan)) {
	if v.ch != nil {
		for f := &v.ch.fan; f != nil; f = f.next {
			do(f)
		}
	}
	if v.group != nil {
		for f := &v.group.fan; f != nil; f = f.next {
			do(f)
		}
	}
}

// dropped is the channel's watermark, whether or not the channel is known.
func (v *View) dropped() uint64 {
	switch {
	case v.ch != nil:
		return v.ch.dropped
	case v.group != nil:
		return v.group.forgotten
	}
	return v.shard.forgotten
}

// Query is what View.History is asked for.
type Query struct {
	// After and Epoch are a position: publications after it are wanted, or before it
	// if Reverse is set. After 0 is the beginning, or the end; an empty Epoch is the
	// present one.
	After uint64
	Epoch string
	// Limit is how many are wanted; all if it is negative.
	Limit int
	// Reverse lists the newest first.
	Reverse bool
	// Room bounds the bytes of the answer.
	Room int
	// Project is the asking client's, as in a Subscription.
	Project string
}

// History returns what is kept of the channel, as Recovery.Publications and as far
// as there is room, and the position of the latest publication.
//
// # Errors
//
// ErrPosition; ErrRoom if there is something and no room for any of it.
func (v *View) History(q Query) (publications []byte, epoch string, top uint64, err error) {
	epoch, top = v.shard.hub.events.Position()
	if q.Epoch != "" && q.Epoch != epoch || q.After > top {
		return nil, epoch, top, ErrPosition
	}
	if !q.Reverse && q.After > 0 && v.dropped() > q.After {
		return nil, epoch, top, ErrPosition
	}
	var entries []*entry
	if v.ch != nil && !q.Reverse {
		entries = since(nil, v.ch, q.After, q.Project)
	} else if v.ch != nil {
		entries = since(nil, v.ch, 0, q.Project)
		slices.Reverse(entries)
		if q.After > 0 {
			entries = slices.DeleteFunc(entries, func(e *entry) bool { return e.offset >= q.After })
		}
	}
	if q.Limit >= 0 && len(entries) > q.Limit {
		entries = entries[:q.Limit]
	}
	publications, n := encode(nil, entries, false, q.Room)
	if n == 0 && len(entries) > 0 {
		return nil, epoch, top, ErrRoom
	}
	return publications, epoch, top, nil
}
