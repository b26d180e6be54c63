package server

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"horizon-realtime/router/auth"
)

// origins decides which pages may connect. Browsers always send a page's origin;
// other programs need not.
type origins struct {
	listed  map[string]bool
	proxies auth.Proxies
}

func newOrigins(list []string, proxies auth.Proxies) (origins, error) {
	o := origins{map[string]bool{}, proxies}
	for _, s := range list {
		origin, err := parseOrigin(s)
		if err != nil {
			return origins{}, fmt.Errorf("[server] allowed_origins: %w", err)
		}
		o.listed[origin] = true
	}
	return o, nil
}

// parseOrigin gives an origin in the one spelling that is compared (RFC 6454, section
// 4): in lower case, and without the port if it is the scheme's own.
func parseOrigin(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || strings.Contains(u.Host, "*") ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(origin, "?#") {
		return "", fmt.Errorf("%q is not an origin; each is written out, scheme://host[:port], such as \"https://horizon.example.org\"", origin)
	}
	return originOf(u.Scheme, u.Host), nil
}

func originOf(scheme, host string) string {
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return scheme + "://" + strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), port), ":")
}

// check answers a request from a page that may not connect, and reports whether
// to go on. A page whose origin is listed may read the answer.
func (o origins) check(w http.ResponseWriter, r *http.Request) bool {
	sent := r.Header.Values("Origin")
	if len(sent) == 0 {
		return true
	}
	if origin, err := parseOrigin(sent[0]); err == nil && len(sent) == 1 {
		if slices.Contains(o.own(r), origin) {
			return true
		}
		if o.listed[origin] {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", sent[0])
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Add("Vary", "Origin")
			return true
		}
	}
	http.Error(w, fmt.Sprintf("pages of %q may not connect to %q: list the origin in [server] allowed_origins, "+
		"or have the proxy in between pass on the Host header, and name it in trusted_proxies if it is the one that speaks TLS", sent, r.Host), http.StatusForbidden)
	return false
}

// own is the server's own origin. Only a proxy knows the scheme that browsers use with
// it; if it does not say, it is either.
func (o origins) own(r *http.Request) []string {
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	scheme, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	scheme = strings.ToLower(strings.TrimSpace(scheme))
	switch proxied := o.proxies.Contains(peer); {
	case proxied && (scheme == "http" || scheme == "https"):
		return []string{originOf(scheme, r.Host)}
	case proxied:
		return []string{originOf("http", r.Host), originOf("https", r.Host)}
	case r.TLS != nil:
		return []string{originOf("https", r.Host)}
	}
	return []string{originOf("http", r.Host)}
}

// preflight answers a browser that asks on behalf of a page whether it may send a
// request.
func (o origins) preflight(w http.ResponseWriter, r *http.Request) {
	if !o.check(w, r) {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST, GET")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Accept")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
