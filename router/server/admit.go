package server

import (
	"errors"
	"net/http"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/session"
)

// door lets clients in, one session each.
type door struct {
	sessions *session.Sessions
	proxies  auth.Proxies
}

// admit makes a session for a request, or answers why not. Whoever gets a session
// sees that its End is called.
func (d *door) admit(w http.ResponseWriter, r *http.Request) (*session.Session, bool) {
	address, _ := d.proxies.Address(r)
	s, err := d.sessions.Admit(r, address)
	if err == nil {
		return s, true
	}
	status := http.StatusServiceUnavailable
	if errors.Is(err, session.ErrAddress) {
		status = http.StatusTooManyRequests
	}
	w.Header().Set("Retry-After", "5")
	http.Error(w, err.Error(), status)
	return nil, false
}
