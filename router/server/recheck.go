package server

import (
	"context"
	"errors"
	"time"

	"horizon-realtime/router/auth"
)

// Identities that are judged again wait in a queue for a few goroutines, since
// Keystone is asked about most of them.
const (
	checkers   = 4
	checkQueue = 1024
)

// When an identity is asked about next, if it is not known from the answer.
const (
	recheckBusy        = time.Second
	recheckUnavailable = 30 * time.Second
)

// Revalidate judges those clients' identities again, now, that concerned tells,
// and ends the connections of those that are not good any more. It is called
// when something changed in Keystone.
func (s *Server) Revalidate(concerned func(*auth.Identity) bool) {
	for _, session := range s.all() {
		session.mu.Lock()
		if session.state == connected && concerned(session.identity) {
			session.recheckAt = time.Now()
		}
		session.mu.Unlock()
		session.schedule()
	}
}

// recheck queues a session's identity for a check, and tells when to try again
// should nothing come of it.
func (s *Server) recheck(session *session) time.Duration {
	select {
	case s.checks <- session:
		return recheckUnavailable
	default:
		s.rechecks.WithLabelValues("busy").Inc()
		return recheckBusy
	}
}

func (s *Server) runChecks() {
	for {
		select {
		case <-s.base.Done():
			return
		case session := <-s.checks:
			s.check(session)
		}
	}
}

// check judges one identity again.
func (s *Server) check(session *session) {
	session.commands.Lock()
	defer session.commands.Unlock()
	session.mu.Lock()
	identity, is := session.identity, session.state
	session.mu.Unlock()
	if is != connected {
		return
	}
	ctx, cancel := context.WithTimeout(s.base, authenticateTimeout)
	defer cancel()
	now, err := s.auth.Revalidate(ctx, identity)
	switch {
	case err == nil:
		s.rechecks.WithLabelValues("good").Inc()
		session.become(now)
		return
	case errors.Is(err, auth.ErrExpired):
		session.close(expired)
	case errors.Is(err, auth.ErrUnauthorized):
		session.close(invalidToken)
	default:
		s.rechecks.WithLabelValues("unavailable").Inc()
		s.log.Warn("cannot tell whether a client's token is still good", "client", session.id, "error", err)
		return
	}
	s.rechecks.WithLabelValues("ended").Inc()
	s.log.Info("a client's token is no longer good", "client", session.id, "error", err)
}
