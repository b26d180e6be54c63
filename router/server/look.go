package server

import (
	"errors"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

// look has the hub answer a question about a channel, if such questions are
// enabled for it and the client may hear it.
func (s *session) look(id uint32, enabled patterns, channel string, answer func(*hub.View)) {
	if !enabled.match(channel) {
		s.refuse(id, errNotAvailable)
		return
	}
	ch, err := event.ParseChannel(channel) // a wildcard has no history of its own
	if err != nil {
		s.refuse(id, errUnknownChannel)
		return
	}
	s.mu.Lock()
	err = auth.MayHear(s.identity, ch)
	s.mu.Unlock()
	if err != nil {
		s.refuse(id, errPermissionDenied)
	} else if s.server.hub.Inspect(ch, answer) != nil {
		s.close(shutdown)
	}
}

func (s *session) history(id uint32, c *historyRequest) {
	q := hub.Query{Limit: int(c.Limit), Reverse: c.Reverse}
	if c.Since != nil {
		q.After, q.Epoch = c.Since.Offset, c.Since.Epoch
	}
	if c.Limit < -1 || c.Since != nil && c.Reverse && q.After == 0 {
		s.refuse(id, errBadRequest)
		return
	}
	s.look(id, s.server.history, c.Channel, func(v *hub.View) {
		q.Room = s.Room()
		publications, epoch, top, err := v.History(q)
		switch {
		case errors.Is(err, hub.ErrRoom):
			s.refuse(id, errLimitExceeded)
			return
		case err != nil:
			s.refuse(id, errUnrecoverable)
			return
		}
		s.send(historyReply(id, publications, epoch, top))
	})
}

// presence answers with what reply makes of the users of those who hear a
// channel, by their clients' ids.
func (s *session) presence(id uint32, channel string, reply func(uint32, map[string]string) []byte) {
	s.look(id, s.server.presence, channel, func(v *hub.View) {
		if v.Subscriptions() > s.server.cfg.PresenceClients {
			s.refuse(id, errLimitExceeded)
			return
		}
		users := map[string]string{}
		v.Each(func(sub *hub.Subscription) {
			if other, ok := sub.To.(*session); ok {
				users[other.id] = other.user()
			}
		})
		if line := reply(id, users); len(line) <= s.Room() {
			s.send(line)
		} else {
			s.refuse(id, errLimitExceeded)
		}
	})
}

func (s *session) user() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.User
}
