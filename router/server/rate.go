package server

import "time"

// allowance is how many commands a client may still send, or how many clients
// connect: it fills at a rate up to a bound. One goroutine at a time uses it.
type allowance struct {
	left float64
	at   time.Time
}

func (a *allowance) take(now time.Time, rate, most int) bool {
	a.left = min(float64(most), a.left+now.Sub(a.at).Seconds()*float64(rate))
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// arrived gives back what a client took that nobody knows: strangers must not
// keep those out whom the rate is for.
func (s *Server) arrived() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arriving.left++
}

// arrivals is how many seconds' worth of clients may connect at once.
const arrivals = 10

// arrive counts a client that wants to connect, before anything is spent on it,
// and tells whether it may: after an outage everybody comes back at once.
func (s *Server) arrive(now time.Time) bool {
	rate := s.cfg.ConnectsPerSecond
	if rate == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arriving.take(now, rate, arrivals*rate)
}
