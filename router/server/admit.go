package server

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"horizon-realtime/router/server/session"
)

// door lets clients in, one session each.
type door struct {
	sessions *session.Sessions
	proxies  []netip.Prefix // whose X-Forwarded-For is believed
}

// admit makes a session for a request, or answers why not. Whoever gets a session
// sees that its End is called.
func (d *door) admit(w http.ResponseWriter, r *http.Request) (*session.Session, bool) {
	s, err := d.sessions.Admit(r, d.addressOf(r))
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

// addressOf is where a request came from: the peer or, if that is a trusted
// proxy, the nearest address in X-Forwarded-For that is not one.
func (d *door) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && d.trusted(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	return strings.Clone(host)
}

func (d *door) trusted(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range d.proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}
