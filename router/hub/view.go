package hub

import (
	"errors"
	"slices"

	"horizon-realtime/router/event"
)

// ErrPosition is what View.History says of a position from which something is
// missing.
var ErrPosition = errors.New("the history does not reach back to that position")

// ErrRoom is what it says where not even one publication has room.
var ErrRoom = errors.New("no room for an answer")

// View is what a shard knows about one channel. It is good during the call it is
// given to.
type View struct {
	shard *shard
	group *group   // nil if it is not known
	ch    *channel // likewise
}

// Inspect has the shard of a concrete channel call f, in order with its
// publications and subscriptions. f must not block, as the methods of a
// Subscriber.
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

// Subscriptions is how many hear the channel, those to the wildcard included.
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

// dropped is the watermark of the channel, whether or not it is known.
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
	// After and Epoch are a position: publications after it are wanted, or, if
	// Reverse, those before. After 0 is the beginning, or the end; an empty Epoch is
	// the one there is.
	After uint64
	Epoch string
	// Limit is how many are wanted; negative: all.
	Limit int
	// Reverse lists the newest first.
	Reverse bool
	// Room bounds the bytes of the answer.
	Room int
	// Project is the asking client's, as in a Subscription.
	Project string
}

// History gives what is kept of the channel, as Recovery.Publications, as far as
// there is room, and the position of the latest publication.
//
// # Errors
//
// ErrPosition, or ErrRoom where there is something and no room for any of it.
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
		entries = missed(nil, v.ch, q.After, q.Project)
	} else if v.ch != nil {
		entries = missed(nil, v.ch, 0, q.Project)
		slices.Reverse(entries)
		if q.After > 0 {
			entries = slices.DeleteFunc(entries, func(e *entry) bool { return e.offset >= q.After })
		}
	}
	if q.Limit >= 0 && len(entries) > q.Limit {
		entries = entries[:q.Limit]
	}
	publications, all := encode(nil, entries, false, q.Room)
	if !all && len(publications) == 0 {
		return nil, epoch, top, ErrRoom
	}
	return publications, epoch, top, nil
}
