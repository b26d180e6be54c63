package session

import (
	"context"
	"errors"
	"log/slog"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/wire"
)

// Identities that are checked again wait in a queue for a few goroutines, since
// most of these checks ask Keystone.
const (
	checkers   = 4
	checkQueue = 1024
)

func (sh *shared) runChecks(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case session := <-sh.checks:
			session.check()
		}
	}
}

// check asks the Authenticator about the session's identity again.
func (s *Session) check() {
	s.commands.Lock()
	defer s.commands.Unlock()
	s.mu.Lock()
	identity, is := s.identity, s.state
	s.revokedAt = 0
	s.mu.Unlock()
	if is != connected {
		return
	}
	ctx, cancel := context.WithTimeout(s.shared.base, authenticateTimeout)
	defer cancel()
	now, err := s.shared.auth.Revalidate(ctx, identity)
	switch {
	case err == nil:
		s.shared.rechecks.WithLabelValues("good").Inc()
		s.become(now)
		return
	case errors.Is(err, auth.ErrExpired):
		s.Close(wire.Expired)
	case errors.Is(err, auth.ErrUnauthorized):
		s.Close(wire.InvalidToken)
	default:
		s.shared.rechecks.WithLabelValues("unavailable").Inc()
		s.shared.refused.Log(slog.LevelWarn, "cannot check whether a client's token is still good", "client", s.id, "error", err)
		return
	}
	s.shared.rechecks.WithLabelValues("ended").Inc()
	s.shared.log.Info("a client's token is no longer good", "client", s.id, "error", err)
}
