package rabbit

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	one := func(addr, name, user, password string) []host { return []host{{addr, name, user, password}} }
	for raw, want := range map[string]address{
		"amqp://h":                            {one("h:5672", "h", "guest", "guest"), "/", false},
		"amqp://u:p@h:1/":                     {one("h:1", "h", "u", "p"), "/", false},
		"amqp://u:p@h/%2F":                    {one("h:5672", "h", "u", "p"), "/", false},
		"amqp://u:p@h//":                      {one("h:5672", "h", "u", "p"), "/", false},
		"amqps://u:p@h/v":                     {one("h:5671", "h", "u", "p"), "v", true},
		"amqp://u%40x:p%3A%2F%40%25@h/a%2Fb":  {one("h:5672", "h", "u@x", "p:/@%"), "a/b", false},
		"amqp://u:p@ss@h":                     {one("h:5672", "h", "u", "p@ss"), "/", false}, // as oslo reads it
		"amqp://u:p:q@[2001:db8::1]:1/v":      {one("[2001:db8::1]:1", "2001:db8::1", "u", "p:q"), "v", false},
		"amqp://u@[::1]":                      {one("[::1]:5672", "::1", "u", ""), "/", false},
		"rabbit://u:p@h:5672/nova?ssl=1&x=/y": {one("h:5672", "h", "u", "p"), "nova", false},
		"rabbit://openstack:lab@127.0.0.1:5672/": {
			one("127.0.0.1:5672", "127.0.0.1", "openstack", "lab"), "/", false},
		"rabbit://u:p@h1:5672,u2:p2@h2:5673/v": {
			[]host{{"h1:5672", "h1", "u", "p"}, {"h2:5673", "h2", "u2", "p2"}}, "v", false},
		"rabbit://u:p@h1,h2,,[::1]:9//": {
			[]host{{"h1:5672", "h1", "u", "p"}, {"h2:5672", "h2", "u", "p"}, {"[::1]:9", "::1", "u", "p"}}, "/", false},
	} {
		got, err := parseURL(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{}, host{})); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		"":                        "is no URL",
		"h:5672":                  "is no URL",
		"http://h":                "scheme http is not known",
		"u:secret@h://x":          "scheme its is not known",
		"amqp://":                 "host 1: has no valid host name",
		"rabbit://":               "names no host",
		"amqp://h,,h2":            "host 2: has no valid host name",
		"amqp://u:p@h:99999":      "its port is not a number",
		"amqp://u:secret/x@h":     "its port is not a number",
		"amqp://u:p%zz@h":         "its user or password is not percent-encoded",
		"amqp://u:p@h/%zz":        "its vhost is not percent-encoded",
		"amqp://u:se#cret@h/v":    "its vhost is not percent-encoded",
		"amqp://u:p@h/v?ssl=1":    "has a query",
		"amqp://u:p@[::1/v":       "is not an IPv6 address",
		"amqp://u:p@[secret]:1/v": "is not an IPv6 address",
		"amqp://u:p @h":           "holds a space",
	} {
		_, err := parseURL(raw)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v, want %q", raw, err, want)
		}
	}
}

// FuzzParseURL: an error never shows a part of the URL, a broker's name never
// its passwords, and user, password and vhost come through however odd they are.
func FuzzParseURL(f *testing.F) {
	f.Add("amqp", "u", "p", "h:5672", "/")
	f.Add("rabbit", "open stack", "p@:/?#%", "h1,h2:1", "a/b")
	f.Add("amqps", "é", ",", "[::1]:1", "")
	f.Fuzz(func(t *testing.T, scheme, user, password, hosts, vhost string) {
		const marker = "S3CRET"
		whole := scheme + "://" + user + marker + ":" + marker + password + "@" + hosts + "/" + vhost
		if a, err := parseURL(whole); err != nil {
			if strings.Contains(err.Error(), marker) {
				t.Fatalf("error shows the password: %v", err)
			}
		} else if strings.Contains(a.String(), marker) && !strings.Contains(hosts+vhost+password, "S") && !strings.ContainsAny(user+password, "@,/") {
			t.Fatalf("name shows the password: %s", a)
		}
		escaped := "amqp://" + escape(user) + ":" + escape(password) + "@h/" + escape(vhost)
		a, err := parseURL(escaped)
		if err != nil {
			t.Fatalf("%s: %v", escaped, err)
		}
		if vhost == "" {
			vhost = "/"
		}
		if h := a.hosts[0]; h.user != user || h.password != password || a.vhost != vhost {
			t.Fatalf("%s: got %q %q %q", escaped, h.user, h.password, a.vhost)
		}
	})
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
