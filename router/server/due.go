package server

import "time"

func (s *session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pongBy = time.Time{}
}

// schedule has the wheel call due when the next thing is due.
func (s *session) schedule() {
	s.mu.Lock()
	next := s.next()
	s.mu.Unlock()
	if !next.IsZero() {
		s.server.wheel.set(&s.timer, next)
	}
}

// next is the earliest time at which something is due. It is called with mu
// held.
func (s *session) next() time.Time {
	var first time.Time
	if s.state == closed {
		return first
	}
	var expires time.Time
	if s.identity != nil {
		expires = s.identity.Expires
	}
	for _, at := range [...]time.Time{s.connectBy, s.pingAt, s.pongBy, s.recheckAt, expires} {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// due does what is due now, and tells when to be called next; zero: never.
func (s *session) due(now time.Time) time.Time {
	s.mu.Lock()
	passed := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	ping, why := false, disconnect{}
	switch {
	case s.state == closed:
	case passed(s.connectBy):
		why = stale
	case s.identity != nil && passed(s.identity.Expires):
		why = expired
	case passed(s.pongBy):
		why = noPong
	case passed(s.pingAt):
		ping = true
		s.pingAt = now.Add(s.server.cfg.Ping)
		s.pongBy = now.Add(s.server.cfg.PongTimeout)
	}
	if passed(s.recheckAt) {
		s.recheckAt = now.Add(s.server.recheck(s))
	}
	next := s.next()
	s.mu.Unlock()
	if why.code != 0 {
		s.close(why)
		return time.Time{}
	}
	if ping {
		s.send([]byte("{}"))
	}
	return next
}
