package server

import (
	"crypto/tls"
	"net/http/httptest"
	"testing"

	"horizon-realtime/router/auth"
)

// TestOrigins: a page's origin is the server's own only with its scheme, its host and
// its port.
func TestOrigins(t *testing.T) {
	proxies, err := auth.ParseProxies([]string{"192.0.2.9"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := newOrigins([]string{"https://Listed.example:443", "http://listed.example:8080"}, proxies)
	if err != nil {
		t.Fatal(err)
	}
	const client, proxy = "198.51.100.1:1000", "192.0.2.9:1000"
	for name, c := range map[string]struct {
		peer, proto string
		tls         bool
		host        string
		origins     []string
		want        bool
	}{
		"none":                          {client, "", false, "h", nil, true},
		"own":                           {client, "", false, "h", []string{"http://h"}, true},
		"own, in capitals":              {client, "", false, "h", []string{"HTTP://H"}, true},
		"own, the host in capitals":     {client, "", false, "H:8080", []string{"http://h:8080"}, true},
		"own, the port written":         {client, "", false, "h", []string{"http://h:80"}, true},
		"own, the host's port written":  {client, "", false, "h:80", []string{"http://h"}, true},
		"own by TLS":                    {client, "", true, "h:443", []string{"https://h"}, true},
		"own by IPv6":                   {client, "", false, "[::1]:80", []string{"http://[::1]"}, true},
		"a page without TLS":            {client, "", true, "h", []string{"http://h"}, false},
		"a page without TLS, its port":  {client, "", true, "h:443", []string{"http://h:443"}, false},
		"a page with TLS":               {client, "", false, "h", []string{"https://h"}, false},
		"the other scheme's port":       {client, "", false, "h:443", []string{"https://h"}, false},
		"another port":                  {client, "", false, "h:8080", []string{"http://h"}, false},
		"who says that it is a proxy":   {client, "https", false, "h", []string{"https://h"}, false},
		"a proxy with TLS":              {proxy, "https", false, "h", []string{"https://h"}, true},
		"a proxy with TLS, in a chain":  {proxy, "HTTPS, http", false, "h", []string{"https://h"}, true},
		"a page before a proxy's TLS":   {proxy, "https", false, "h", []string{"http://h"}, false},
		"a proxy with TLS on this side": {proxy, "http", true, "h", []string{"http://h"}, true},
		"a proxy that says nothing":     {proxy, "", false, "h", []string{"https://h"}, true},
		"another page behind it":        {proxy, "", false, "h", []string{"https://g"}, false},
		"listed":                        {client, "", false, "h", []string{"https://listed.example"}, true},
		"listed, with its port":         {client, "", false, "h", []string{"https://LISTED.example:443"}, true},
		"listed with another scheme":    {client, "", false, "h", []string{"http://listed.example"}, false},
		"listed with another port":      {client, "", false, "h", []string{"http://listed.example:80"}, false},
		"null":                          {client, "", false, "null", []string{"null"}, false},
		"empty":                         {client, "", false, "", []string{""}, false},
		"two":                           {client, "", false, "h", []string{"http://h", "http://evil.example"}, false},
		"with a user":                   {client, "", false, "h", []string{"http://h@evil.example"}, false},
		"with a path":                   {client, "", false, "h", []string{"http://h/"}, false},
		"with a mark":                   {client, "", false, "h", []string{"http://h?"}, false},
		"another kind":                  {client, "", false, "h", []string{"file://h"}, false},
		"a longer name":                 {client, "", false, "h.example", []string{"http://h.example.evil"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr, r.Host = c.peer, c.host
			if c.tls {
				r.TLS = new(tls.ConnectionState)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			r.Header["Origin"] = c.origins
			w := httptest.NewRecorder()
			if got := o.check(w, r); got != c.want || !got && w.Code != 403 {
				t.Errorf("%t, and %d", got, w.Code)
			}
		})
	}
}
