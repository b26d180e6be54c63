package server

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// limits counts connections by user and by address.
type limits struct {
	perUser, perAddress int
	proxies             []netip.Prefix

	mu        sync.Mutex
	users     map[string]int
	addresses map[string]int
}

func newLimits(cfg Config) (*limits, error) {
	proxies, err := parseNetworks(cfg.TrustedProxies)
	return &limits{
		perUser: cfg.MaxConnectionsPerUser, perAddress: cfg.MaxConnectionsPerAddress, proxies: proxies,
		users: map[string]int{}, addresses: map[string]int{},
	}, err
}

func (l *limits) addUser(user string) bool       { return l.add(l.users, user, l.perUser) }
func (l *limits) addAddress(address string) bool { return l.add(l.addresses, address, l.perAddress) }
func (l *limits) removeUser(user string)         { l.remove(l.users, user) }
func (l *limits) removeAddress(address string)   { l.remove(l.addresses, address) }

func (l *limits) add(counts map[string]int, who string, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && counts[who] >= most {
		return false
	}
	counts[who]++
	return true
}

func (l *limits) remove(counts map[string]int, who string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if counts[who]--; counts[who] <= 0 {
		delete(counts, who)
	}
}

// addressOf is where a request came from: the peer, or, where that is a trusted
// proxy, the nearest address in X-Forwarded-For that is not one.
func (l *limits) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && l.trusted(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	return strings.Clone(host)
}

func (l *limits) trusted(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range l.proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}
