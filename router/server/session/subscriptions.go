package session

import (
	"slices"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/wire"
)

func (s *Session) subscribe(id uint32, c *wire.SubscribeRequest) {
	ch, err := event.ParsePattern(c.Channel)
	if err != nil {
		s.refuse(id, wire.ErrUnknownChannel)
		return
	}
	sub := &hub.Subscription{
		Channel: ch, To: s, Recover: c.Recover, Epoch: c.Epoch, Offset: c.Offset, MustRecover: c.RejectUnrecovered(),
	}
	if e := s.addSubscription(sub); e != nil {
		s.refuse(id, e)
		return
	}
	if err := s.shared.hub.Subscribe(sub, id); err != nil {
		s.Close(wire.Shutdown)
	}
}

func (s *Session) addSubscription(sub *hub.Subscription) *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := sub.Channel.Name
	if err := auth.MayHear(s.identity, sub.Channel); err != nil {
		s.shared.log.Debug("refused a subscription", "client", s.id, "channel", name, "error", err)
		return wire.ErrPermissionDenied
	}
	sub.Project = s.identity.Project
	if s.subscription(name) >= 0 {
		return wire.ErrAlreadySubscribed
	}
	if len(s.subs) >= s.shared.cfg.MaxSubscriptions {
		return wire.ErrLimitExceeded
	}
	s.subs = append(s.subs, sub)
	return nil
}

// subscription finds a channel's place in subs, -1 if it has none. It is called
// with mu held.
func (s *Session) subscription(channel string) int {
	return slices.IndexFunc(s.subs, func(sub *hub.Subscription) bool { return sub.Channel.Name == channel })
}

// Subscribed answers a subscribe command.
func (s *Session) Subscribed(sub *hub.Subscription, id uint32, r *wire.Recovery) {
	if sub.MustRecover && r.Recovering && !r.Recovered {
		s.mu.Lock()
		s.subs = slices.DeleteFunc(s.subs, func(other *hub.Subscription) bool { return other == sub })
		s.mu.Unlock()
		s.refuse(id, wire.ErrUnrecoverable)
		return
	}
	s.send(wire.SubscribeReply(id, r))
}

func (s *Session) unsubscribe(id uint32, channel string) {
	var sub *hub.Subscription
	s.mu.Lock()
	if i := s.subscription(channel); i >= 0 {
		sub = s.subs[i]
		s.subs = slices.Delete(s.subs, i, i+1)
	}
	s.mu.Unlock()
	if sub == nil {
		s.send(wire.EmptyReply(id, "unsubscribe"))
	} else if err := s.shared.hub.Unsubscribe(sub, id); err != nil {
		s.Close(wire.Shutdown)
	}
}

// Unsubscribed answers an unsubscribe command; id 0 stands for none.
func (s *Session) Unsubscribed(sub *hub.Subscription, id uint32) {
	s.transport.Forget(sub.Channel.Name)
	if id != 0 {
		s.send(wire.EmptyReply(id, "unsubscribe"))
	}
}

// Room is how much of its outbox what it has missed may fill: half of what is free.
func (s *Session) Room() (n int, empty bool) {
	n, empty = s.transport.Room()
	return n / 2, empty
}

// Lost has the client come back, and be told that it has missed something.
func (s *Session) Lost() { s.Close(wire.InsufficientState) }
