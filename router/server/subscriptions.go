package server

import (
	"slices"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

func (s *session) subscribe(id uint32, c *subscribeRequest) {
	ch, err := event.ParsePattern(c.Channel)
	if err != nil {
		s.refuse(id, errUnknownChannel)
		return
	}
	sub := &hub.Subscription{Channel: ch, To: s, Recover: c.Recover, Epoch: c.Epoch, Offset: c.Offset}
	if e := s.addSubscription(sub); e != nil {
		s.refuse(id, e)
		return
	}
	if err := s.server.hub.Subscribe(sub, id); err != nil {
		s.close(shutdown)
	}
}

func (s *session) addSubscription(sub *hub.Subscription) *replyError {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := sub.Channel.Name
	if err := auth.MayHear(s.identity, sub.Channel); err != nil {
		s.server.log.Debug("refused a subscription", "client", s.id, "channel", name, "error", err)
		return errPermissionDenied
	}
	if s.subscription(name) >= 0 {
		return errAlreadySubscribed
	}
	if len(s.subs) >= s.server.cfg.MaxSubscriptions {
		return errLimitExceeded
	}
	s.subs = append(s.subs, sub)
	return nil
}

// subscription finds a channel's place in subs, -1 if it has none. It is called
// with mu held.
func (s *session) subscription(channel string) int {
	return slices.IndexFunc(s.subs, func(sub *hub.Subscription) bool { return sub.Channel.Name == channel })
}

// Subscribed answers a subscribe command.
func (s *session) Subscribed(_ *hub.Subscription, id uint32, r *hub.Recovery) {
	s.send(subscribeReply(id, r))
}

func (s *session) unsubscribe(id uint32, channel string) {
	var sub *hub.Subscription
	s.mu.Lock()
	if i := s.subscription(channel); i >= 0 {
		sub = s.subs[i]
		s.subs = slices.Delete(s.subs, i, i+1)
	}
	s.mu.Unlock()
	if sub == nil {
		s.send(emptyReply(id, "unsubscribe"))
	} else if err := s.server.hub.Unsubscribe(sub, id); err != nil {
		s.close(shutdown)
	}
}

// Unsubscribed answers an unsubscribe command; there is none with id 0.
func (s *session) Unsubscribed(sub *hub.Subscription, id uint32) {
	s.transport.forget(sub.Channel.Name)
	if id != 0 {
		s.send(emptyReply(id, "unsubscribe"))
	}
}

// Room is how much of its outbox a recovery may fill.
func (s *session) Room() int { return s.transport.room() / 2 }

// subRefresh answers what clients ask whose subscriptions have tokens; here the
// connection's is the only one.
func (s *session) subRefresh(id uint32, channel string) {
	s.mu.Lock()
	known, expires := s.subscription(channel) >= 0, s.identity.Expires
	s.mu.Unlock()
	if !known {
		s.refuse(id, errBadRequest)
		return
	}
	s.send(refreshReply(id, "sub_refresh", expires))
}
