package auth

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks, such as "10.0.0.0/8".
//
// # Errors
//
// An entry that is neither.
func ParseProxies(list []string) (Proxies, error) {
	var proxies Proxies
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if addr, e := netip.ParseAddr(s); e == nil {
			p, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("[server] trusted_proxies: %q is not an address or a network, such as \"10.0.0.0/8\"", s)
		}
		proxies = append(proxies, p.Masked())
	}
	return proxies, nil
}

// Address is where a request came from, without the port: the peer, or, if that is
// one of the proxies, the nearest address in X-Forwarded-For that is not. named
// reports whether a proxy named it.
func (p Proxies) Address(r *http.Request) (address string, named bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.Contains(host); i-- {
		hop := strings.TrimSpace(hops[i])
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host, named = hop, true
	}
	return strings.Clone(host), named
}

// Contains reports whether an address is that of a proxy.
func (p Proxies) Contains(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, network := range p {
		if network.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// Network is what an address counts as where clients are counted: itself, or for
// IPv6 its /64, all of which belongs to one host.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if addr = addr.Unmap(); addr.Is6() {
		if network, err := addr.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
