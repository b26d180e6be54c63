package session

import (
	"log/slog"
	"slices"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/wire"
)

func (s *Session) refresh(id uint32, token string) {
	if token == "" {
		s.refuse(id, wire.ErrBadRequest)
		return
	}
	identity, err := s.authenticate(token)
	if err != nil {
		s.shared.refused.Log(slog.LevelInfo, "refused a new token", "client", s.id, "error", err)
		if reply, why := refusal(err); reply != nil {
			s.refuse(id, reply)
		} else {
			s.Close(why)
		}
		return
	}
	s.mu.Lock()
	same := s.identity.User == identity.User && s.identity.Project == identity.Project
	s.mu.Unlock()
	if !same {
		s.Close(wire.InvalidToken)
		return
	}
	s.become(identity)
	s.send(wire.RefreshReply(id, "refresh", identity.Expires))
}

// subRefresh answers clients whose subscriptions have tokens; here the
// connection's token is the only one.
func (s *Session) subRefresh(id uint32, channel string) {
	s.mu.Lock()
	known, expires := s.subscription(channel) >= 0, s.identity.Expires
	s.mu.Unlock()
	if !known {
		s.refuse(id, wire.ErrBadRequest)
		return
	}
	s.send(wire.RefreshReply(id, "sub_refresh", expires))
}

// become changes who the client is, and ends the subscriptions that it may no
// longer have. It is called with commands held.
func (s *Session) become(identity *auth.Identity) {
	var lost []*hub.Subscription
	s.mu.Lock()
	s.identity, s.recheckAt = identity, sooner(instantOf(identity.RevalidateAt()), s.revokedAt)
	s.subs = slices.DeleteFunc(s.subs, func(sub *hub.Subscription) bool {
		if auth.MayHear(identity, sub.Channel) == nil {
			return false
		}
		lost = append(lost, sub)
		return true
	})
	s.mu.Unlock()
	for _, sub := range lost {
		if s.shared.hub.Unsubscribe(sub, 0) != nil {
			s.Close(wire.Shutdown)
			return
		}
		s.send(wire.UnsubscribePush(sub.Channel.Name, wire.ErrPermissionDenied))
	}
	s.schedule()
}
