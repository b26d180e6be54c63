package server

import (
	"net/http"
	"strconv"
)

// admit counts one more client and makes its session, or answers why not.
// Whoever gets a session sees that its end is called.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (*session, bool) {
	refuse := func(reason string, status int, text string) (*session, bool) {
		s.refusals.WithLabelValues(reason).Inc()
		w.Header().Set("Retry-After", "5")
		http.Error(w, text, status)
		return nil, false
	}
	address := s.limits.addressOf(r)
	if !s.limits.addAddress(address) {
		return refuse("address", http.StatusTooManyRequests, "too many connections from this address")
	}
	s.mu.Lock()
	draining, full := s.draining, s.admitted >= s.cfg.MaxConnections
	if !draining && !full {
		s.admitted++
	}
	s.mu.Unlock()
	switch {
	case draining:
		s.limits.removeAddress(address)
		return refuse("draining", http.StatusServiceUnavailable, "the server is stopping")
	case full:
		s.limits.removeAddress(address)
		return refuse("total", http.StatusServiceUnavailable, "too many connections")
	}
	return newSession(s, r, address), true
}

// add makes a session known whose transport is ready.
func (s *Server) add(session *session) {
	s.connections.WithLabelValues(session.transport.name()).Inc()
	s.mu.Lock()
	s.sessions[session.id] = session
	if session.secret != "" {
		s.streams[session.secret] = session
	}
	draining := s.draining
	s.mu.Unlock()
	if draining {
		session.close(shutdown)
	}
}

// remove forgets a session that has ended.
func (s *Server) remove(session *session, why disconnect) {
	s.limits.removeAddress(session.address)
	s.mu.Lock()
	s.admitted--
	_, known := s.sessions[session.id]
	delete(s.sessions, session.id)
	delete(s.streams, session.secret)
	if s.draining && s.admitted == 0 {
		close(s.empty)
	}
	s.mu.Unlock()
	if known {
		s.connections.WithLabelValues(session.transport.name()).Dec()
		s.endings.WithLabelValues(session.transport.name(), strconv.Itoa(int(why.code))).Inc()
	}
}

// Sessions is how many clients there are.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// savings is how many commands a client can save up.
func (s *Server) savings() int { return s.cfg.CommandsPerSecond + 2*s.cfg.MaxSubscriptions }

// all is the sessions there are now, in no order.
func (s *Server) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*session, 0, len(s.sessions))
	for _, session := range s.sessions {
		list = append(list, session)
	}
	return list
}
