package rabbit

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	one := func(addr, name, user, password string) []host { return []host{{addr, name, user, password}} }
	for raw, want := range map[string]address{
		"amqp://h":                           {one("h:5672", "h", "guest", "guest"), "/", false, options{}},
		"amqp://u:p@h:1/":                    {one("h:1", "h", "u", "p"), "/", false, options{}},
		"amqp://u:p@h/%2F":                   {one("h:5672", "h", "u", "p"), "/", false, options{}},
		"amqp://u:p@h//":                     {one("h:5672", "h", "u", "p"), "/", false, options{}},
		"amqps://u:p@h/v":                    {one("h:5671", "h", "u", "p"), "v", true, options{}},
		"amqp://u%40x:p%3A%2F%40%25@h/a%2Fb": {one("h:5672", "h", "u@x", "p:/@%"), "a/b", false, options{}},
		"amqp://u:p@ss@h":                    {one("h:5672", "h", "u", "p@ss"), "/", false, options{}}, // as oslo reads it
		"amqp://u:p:q@[2001:db8::1]:1/v":     {one("[2001:db8::1]:1", "2001:db8::1", "u", "p:q"), "v", false, options{}},
		"amqp://u@[::1]":                     {one("[::1]:5672", "::1", "u", ""), "/", false, options{}},
		"rabbit://u:p@h:5672/nova?ssl=1&ssl_ca_file=/y%20z": {
			one("h:5672", "h", "u", "p"), "nova", false, options{tls: true, caFile: "/y z"}},
		"rabbit://u:p@h/?ssl=1":             {one("h:5671", "h", "u", "p"), "/", false, options{tls: true}},
		"rabbit://u:p@h?ssl=False":          {one("h:5672", "h", "u", "p"), "/", false, options{noTLS: true}},
		"rabbit://u:p@[fd00::1],[fd00::2]?": {[]host{{"[fd00::1]:5672", "fd00::1", "u", "p"}, {"[fd00::2]:5672", "fd00::2", "u", "p"}}, "/", false, options{}},
		"rabbit://u:p@h:1/%2Fcell%3F1?ssl=on&ssl_cert_file=c&ssl_key_file=k&ssl_version=TLSv1_2&heartbeat_timeout_threshold=30": {
			one("h:1", "h", "u", "p"), "/cell?1", false,
			options{tls: true, certFile: "c", keyFile: "k", onlyTLS12: true, heartbeat: 30 * time.Second}},
		"rabbit://u:p@h?heartbeat=9&rabbit_quorum_queue=1&amqp_durable_queues=true&ssl_version=&ssl_enforce_fips_mode=0&rabbit_login_method=AMQPLAIN&ssl_enforce_hostname_verification=1": {
			one("h:5672", "h", "u", "p"), "/", false, options{heartbeat: 9 * time.Second}},
		"rabbit://openstack:lab@127.0.0.1:5672/": {
			one("127.0.0.1:5672", "127.0.0.1", "openstack", "lab"), "/", false, options{}},
		"rabbit://u:p@h1:5672,u2:p2@h2:5673/v": {
			[]host{{"h1:5672", "h1", "u", "p"}, {"h2:5673", "h2", "u2", "p2"}}, "v", false, options{}},
		"rabbit://u:p@h1,h2,,[::1]:9//": {
			[]host{{"h1:5672", "h1", "u", "p"}, {"h2:5672", "h2", "u", "p"}, {"[::1]:9", "::1", "u", "p"}}, "/", false, options{}},
	} {
		got, err := parseURL(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{}, host{}, options{})); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		"":                     "is no URL",
		"h:5672":               "is no URL",
		"http://h":             "scheme http is not known",
		"u:secret@h://x":       "scheme its is not known",
		"amqp://":              "host 1: has no valid host name",
		"rabbit://":            "names no host",
		"amqp://h,,h2":         "host 2: has no valid host name",
		"amqp://u:p@h:99999":   "its port is not a number",
		"amqp://u:secret/x@h":  "its port is not a number",
		"amqp://u:p%zz@h":      "its user or password is not percent-encoded",
		"amqp://u:p@h/%zz":     "its vhost is not percent-encoded",
		"amqp://u:se#cret@h/v": "its vhost is not percent-encoded",
		"amqp://u:p@h/v?ssl=1": "has a query",
		"kafka://u:p@h/":       "scheme kafka is another driver of oslo.messaging; the router listens to RabbitMQ only: let",
		"kafka+ssl://u:p@h/":   "scheme kafka is another driver",
		"rabbit+ssl://u:p@h/":  "for TLS write amqps://…, or rabbit://…?ssl=1",
		"rabbits://u:p@h/":     "for TLS write amqps://",

		"rabbit://u:p@h/?ssl=maybe":                           "its option ssl is neither 1 nor 0",
		"rabbit://u:p@h/?ssl=1&ssl=0":                         "is there twice",
		"rabbit://u:p@h/?ssl=0&ssl_ca_file=x":                 "its option ssl is off, and others are about TLS",
		"rabbit://u:p@h/?ssl=1&ssl_key_file=x":                "ssl_cert_file and ssl_key_file go together",
		"rabbit://u:p@h/?ssl=1&ssl_version=TLSv1":             "its option ssl_version asks for a version",
		"rabbit://u:p@h/?ssl_enforce_hostname_verification=0": "its option ssl_enforce_hostname_verification cannot be off",
		"rabbit://u:p@h/?ssl_enforce_fips_mode=1":             "its option ssl_enforce_fips_mode is not possible",
		"rabbit://u:p@h/?rabbit_login_method=EXTERNAL":        "its option rabbit_login_method is neither",
		"rabbit://u:p@h/?heartbeat_timeout_threshold=0":       "its option heartbeat_timeout_threshold is not between 1 and 600 seconds",
		"rabbit://u:p@h/?heartbeat=1000000000000000000000":    "its option heartbeat is not between",
		"rabbit://u:p@h/?rabbit_password=secret":              "does not have: rabbit_password",
		"rabbit://u:p?secret@h/":                              "does not have; in a user or password",
		"rabbit://u:p@h/?%zz":                                 "its query is not percent-encoded",
		"amqp://u:p@[::1/v":                                   "is not an IPv6 address",
		"amqp://u:p@[secret]:1/v":                             "is not an IPv6 address",
		"amqp://u:p @h":                                       "holds a space",
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
