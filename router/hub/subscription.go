package hub

import (
	"horizon-realtime/router/event"
	"horizon-realtime/router/wire"
)

// Subscriber is a client as the hub sees it. Shards call its methods, several at the
// same time if its subscriptions are in several shards. They must not block, and
// must not call Subscribe or Unsubscribe: a shard that waits for room in its own
// queue waits for ever.
type Subscriber interface {
	// Deliver takes messages of one channel. The batch is used again as soon as
	// Deliver returns.
	Deliver(b *wire.Batch)
	// Subscribed answers Subscribe. Batches of the subscription follow, first those with
	// the rest of what it missed, if r has not all of it; none came before. r is used again as soon as Subscribed returns.
	Subscribed(sub *Subscription, id uint32, r *wire.Recovery)
	// Unsubscribed answers Unsubscribe. No batch of the subscription follows.
	Unsubscribed(sub *Subscription, id uint32)
	// Room is how many bytes of what it has missed the subscriber can be given now. If
	// empty, nothing waits for it, and it can be given one publication of any size.
	Room() (n int, empty bool)
	// Lost says that the history has dropped something that the subscriber was still to
	// be given.
	Lost()
}

// Subscription has one subscriber hear one channel, or all channels of a group. It
// is made for Subscribe and belongs to the hub until Unsubscribed.
type Subscription struct {
	// Channel may be a wildcard.
	Channel event.Channel
	// Project is the one that the subscriber is in, if any. Of a user's channel
	// it hears what belongs to this project or to none.
	Project string
	To      Subscriber
	// Recover asks for what was published after Offset of Epoch. No epoch and
	// offset 0 ask for everything since the present epoch began. While the subscriber is
	// behind, Offset is what it has been given.
	Epoch   string
	Offset  uint64
	Recover bool
	// MustRecover makes this no subscription if what was asked for cannot be
	// recovered. Subscribed says so, and is the last call about it.
	MustRecover bool

	ended bool
	index int32               // its place in fan.subs, or isBehind
	fan   *fan                // that it belongs to; nil while it is not subscribed
	waits *node[Subscription] // its place among those behind; nil if it never was
}
