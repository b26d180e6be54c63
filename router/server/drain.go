package server

import (
	"context"
	mathrand "math/rand/v2"
	"time"
)

func (s *Server) disconnectAll(why disconnect) {
	s.mu.Lock()
	s.startDraining()
	s.mu.Unlock()
	for _, session := range s.all() {
		session.close(why)
	}
}

// startDraining is called with mu held.
func (s *Server) startDraining() {
	if !s.draining {
		s.draining = true
		if s.admitted == 0 {
			close(s.empty)
		}
	}
}

// Drain takes no new clients and tells those there are to come back, which will
// be to another server or to this one's successor: over [server] drain and in
// random order, so that they do not come back all at once. It returns when none
// is left, or when ctx is done.
func (s *Server) Drain(ctx context.Context) {
	s.mu.Lock()
	s.startDraining()
	s.mu.Unlock()
	sessions := s.all()
	mathrand.Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, session := range sessions {
		// Each has its own slice of the time, and a random moment of it.
		slice := s.cfg.Drain / time.Duration(len(sessions))
		timer.Reset(time.Until(began.Add(slice*time.Duration(i) + mathrand.N(slice+1))))
		select {
		case <-timer.C:
			session.close(shutdown)
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
}
