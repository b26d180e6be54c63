package session

import (
	"errors"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/wire"
)

// query has the hub answer a question about a channel, if such questions are
// enabled for it and the client may hear it.
func (s *Session) query(id uint32, enabled patterns, channel string, answer func(*hub.View)) {
	if !enabled.match(channel) {
		s.refuse(id, wire.ErrNotAvailable)
		return
	}
	ch, err := event.ParseChannel(channel) // a wildcard has no history
	if err != nil {
		s.refuse(id, wire.ErrUnknownChannel)
		return
	}
	s.mu.Lock()
	err = auth.MayHear(s.identity, ch)
	s.mu.Unlock()
	if err != nil {
		s.refuse(id, wire.ErrPermissionDenied)
	} else if s.shared.hub.Inspect(ch, answer) != nil {
		s.Close(wire.Shutdown)
	}
}

func (s *Session) queryHistory(id uint32, c *wire.HistoryRequest) {
	q := hub.Query{Limit: int(c.Limit), Reverse: c.Reverse, Project: s.project()}
	if c.Since != nil {
		q.After, q.Epoch = c.Since.Offset, c.Since.Epoch
	}
	if c.Limit < -1 || c.Since != nil && c.Reverse && q.After == 0 {
		s.refuse(id, wire.ErrBadRequest)
		return
	}
	s.query(id, s.shared.history, c.Channel, func(v *hub.View) {
		q.Room, _ = s.Room()
		publications, epoch, top, err := v.History(q)
		switch {
		case errors.Is(err, hub.ErrRoom):
			s.refuse(id, wire.ErrLimitExceeded)
			return
		case err != nil:
			s.refuse(id, wire.ErrUnrecoverable)
			return
		}
		s.send(wire.HistoryReply(id, publications, epoch, top))
	})
}

// queryPresence answers with what reply makes of a channel's subscribers: their
// users, by their clients' ids.
func (s *Session) queryPresence(id uint32, channel string, reply func(uint32, map[string]string) []byte) {
	s.query(id, s.shared.presence, channel, func(v *hub.View) {
		if v.Subscriptions() > s.shared.cfg.PresenceClients {
			s.refuse(id, wire.ErrLimitExceeded)
			return
		}
		users := map[string]string{}
		v.Each(func(sub *hub.Subscription) {
			if other, ok := sub.To.(*Session); ok {
				users[other.id] = other.User()
			}
		})
		room, _ := s.Room()
		if line := reply(id, users); len(line) <= room {
			s.send(line)
		} else {
			s.refuse(id, wire.ErrLimitExceeded)
		}
	})
}
