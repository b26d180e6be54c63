package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins decides which pages may connect. Browsers always send a page's origin;
// other programs need not.
type origins map[string]bool

func newOrigins(list []string) (origins, error) {
	o := origins{}
	for _, s := range list {
		origin, err := parseOrigin(s)
		if err != nil {
			return nil, err
		}
		o[origin] = true
	}
	return o, nil
}

// check answers a request from a page that may not connect, and reports whether
// to go on. A page whose origin is listed may read the answer.
func (o origins) check(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	if err == nil && o[u.Scheme+"://"+strings.ToLower(u.Host)] {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
		return true
	}
	http.Error(w, fmt.Sprintf("pages of %q may not connect to %q: list the origin in [server] allowed_origins, "+
		"or have the proxy in between pass on the Host header", origin, r.Host), http.StatusForbidden)
	return false
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
