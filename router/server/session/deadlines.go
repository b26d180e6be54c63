package session

import (
	"time"

	"horizon-realtime/router/wire"
)

func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pongBy = 0
}

// schedule has the wheel call meetDeadlines at the next deadline.
func (s *Session) schedule() {
	s.mu.Lock()
	next := s.nextDeadline()
	s.mu.Unlock()
	if !next.IsZero() {
		s.shared.wheel.set(&s.timer, next)
	}
}

// nextDeadline is the earliest deadline; zero if there is none. It is called with
// mu held.
func (s *Session) nextDeadline() time.Time {
	if s.state == closed {
		return time.Time{}
	}
	first := sooner(sooner(s.connectBy, s.pingAt), sooner(s.pongBy, s.recheckAt))
	if s.identity != nil {
		first = sooner(first, instantOf(s.identity.Expires))
	}
	return first.time()
}

// meetDeadlines does what the deadlines that have passed call for, and returns
// the next one; zero: none.
func (s *Session) meetDeadlines(now time.Time) time.Time {
	s.mu.Lock()
	passed := func(at instant) bool { return at != 0 && at <= instantOf(now) }
	ping, why := false, wire.Disconnect{}
	switch {
	case s.state == closed:
	case passed(s.connectBy):
		why = wire.Stale
	case s.identity != nil && passed(instantOf(s.identity.Expires)):
		why = wire.Expired
	case passed(s.pongBy):
		why = wire.NoPong
	case passed(s.pingAt):
		ping = true
		s.pingAt = instantOf(now.Add(s.shared.cfg.Ping))
		s.pongBy = instantOf(now.Add(s.shared.cfg.PongTimeout))
	}
	if passed(s.recheckAt) {
		s.recheckAt = instantOf(now.Add(s.queueCheck()))
	}
	next := s.nextDeadline()
	s.mu.Unlock()
	if why.Code != 0 {
		s.Close(why)
		return time.Time{}
	}
	if ping {
		s.tellClients(s.shared.places.count())
		s.send([]byte("{}"))
	}
	return next
}

// tellClients says how many clients there are, if they have more than doubled since
// the client was told.
func (s *Session) tellClients(now int) {
	s.mu.Lock()
	doubled := now > 2*s.clients
	if doubled {
		s.clients = now
	}
	s.mu.Unlock()
	if doubled {
		s.send(wire.ServerPush(wire.ServerData{Clients: now}))
	}
}

// When an identity is checked next, unless the check itself says.
const (
	recheckBusy        = time.Second
	recheckUnavailable = 30 * time.Second
)

// queueCheck has the session's identity checked again, and returns when to try
// again if nothing comes of it.
func (s *Session) queueCheck() time.Duration {
	select {
	case s.shared.checks <- s:
		return recheckUnavailable
	default:
		s.shared.rechecks.WithLabelValues("busy").Inc()
		return recheckBusy
	}
}
