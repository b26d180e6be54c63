package auth

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// anonymous identifies a client without a token, if the operator lets any in:
// without force only those on this machine.
func (a *Authenticator) anonymous(r *http.Request) (*Identity, error) {
	cfg := &a.cfg.Anonymous
	if !cfg.Enabled {
		return nil, fmt.Errorf("%w: no token, and [auth.anonymous] enabled is not set", ErrUnauthorized)
	}
	if !cfg.Force {
		if why := notLocal(r); why != "" {
			return nil, fmt.Errorf("%w: no token, and %s; [auth.anonymous] is for clients on this machine unless force is set", ErrUnauthorized, why)
		}
	}
	return &Identity{
		User:    cfg.UserID,
		Project: cfg.ProjectID,
		Roles:   slices.Clone(cfg.Roles),
		Admin:   a.cfg.isAdmin(cfg.Roles),
		Name:    "anonymous",
	}, nil
}

// notLocal says why a request may come from another machine, or returns "". A
// loopback peer is not enough. It can be a reverse proxy that speaks for the
// world, or a local browser that runs a foreign page; the page's origin, or a
// host name that was made to point here, gives that away.
func notLocal(r *http.Request) string {
	if r == nil {
		return "there is no request to check"
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return "the peer is not a loopback address"
	}
	for name := range r.Header {
		if forwards(name) {
			return "a proxy forwarded it (" + name + ")"
		}
	}
	if !loopbackHost(r.Host) {
		return "its Host is not this machine's loopback name"
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !loopbackHost(u.Host) {
			return "its Origin is not on this machine"
		}
	}
	return ""
}

// forwards reports whether only proxies set this header.
func forwards(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip",
		"true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-original-forwarded-for":
		return true
	}
	return strings.HasPrefix(name, "x-forwarded")
}

func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
