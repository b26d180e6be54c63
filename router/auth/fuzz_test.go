package auth

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// FuzzAuthenticate throws tokens at an Authenticator with every way open. None of
// them was issued, so none may be accepted, and every error is one that a client
// can act on.
func FuzzAuthenticate(f *testing.F) {
	k := newFakeKeystone(f)
	a, c := newTest(f, func(cfg *Config) {
		cfg.Keystone.URL, cfg.Keystone.Direct = k.URL, true
		cfg.JWT.JWKSFile = file(f, []byte(jwks(jwk(f, "rsa", "r", false, ""), jwk(f, "ed25519", "d", false, ""))))
		cfg.Anonymous = AnonymousConfig{Enabled: true, ProjectID: "p"}
	})
	good := sign(f, "EdDSA", "ed25519", goodClaims(c), "kid", "d")
	for _, seed := range []string{
		"gAAAAABl", "hrt_", "hrt_" + strings.Repeat("A", 43), good[:len(good)-1], good + ".", "e30.e30.", "..", ".", "a.b.c",
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.", sign(f, "HS256", "hmac", goodClaims(c), "kid", "r"),
		sign(f, "RS256", "other rsa", goodClaims(c)), "eyJhbGciOiJFUzI1NiJ9.eyJvcGVuc3RhY2tfbWV0aG9kcyI6W119.AAAA", "\x00", "é",
	} {
		f.Add(seed, "192.0.2.1:1", "https://horizon.example")
		f.Add(seed, "127.0.0.1:1", "")
	}
	f.Fuzz(func(t *testing.T, token, peer, origin string) {
		if token == good {
			return
		}
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.RemoteAddr = peer
		r.Header.Set("Origin", origin)
		id, err := a.Authenticate(t.Context(), r, token)
		if token == "" && err == nil {
			if !strings.Contains(peer, "127.") && !strings.Contains(peer, "::1") && !strings.Contains(peer, "::ffff:7f") {
				t.Fatalf("anonymous from %q", peer)
			}
			return
		}
		if id != nil || err == nil {
			t.Fatalf("%q is %+v", token, id)
		}
		if !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrExpired) && !errors.Is(err, ErrUnavailable) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}

// FuzzTicket throws requests at the ticket endpoint. Only the one good token is
// answered with a ticket, no answer repeats a token, and Keystone is asked about
// nothing that it cannot have made.
func FuzzTicket(f *testing.F) {
	k := newFakeKeystone(f)
	a, c := newTest(f, func(cfg *Config) {
		cfg.Keystone.URL, cfg.TrustedProxies = k.URL, []string{"127.0.0.0/8"}
		cfg.Ticket.MaxPerUser = cfg.Ticket.Max
	})
	k.tokens[goodToken] = subjectJSON(c.now().Add(24*time.Hour), "u1", memberOf)
	h := a.TicketHandler(func() (string, uint64) { return "e", 1 })
	for _, body := range []string{"", "{}", `{"origin":"https://horizon.example"}`, `{"origin":1}`, "[", `{"origin":"https://h\u0000"}`} {
		f.Add("POST", body, goodToken, "127.0.0.1:1", "192.0.2.1")
		f.Add("POST", body, fernet("bad"), "[::1]:1", "1, 2")
		f.Add("GET", body, "hrt_x", "", "")
	}
	f.Fuzz(func(t *testing.T, method, body, token, peer, forwarded string) {
		r := httptest.NewRequest("POST", "/realtime/ticket", strings.NewReader(body))
		r.Method, r.RemoteAddr = method, peer
		r.Header["X-Auth-Token"] = []string{token}
		r.Header["X-Forwarded-For"] = []string{forwarded}
		asked := k.questions()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if (w.Code == 200) && (token != goodToken || method != "POST") {
			t.Fatalf("a ticket for %q by %s", token, method)
		}
		if !json.Valid(w.Body.Bytes()) || len(token) > 20 && strings.Contains(w.Body.String(), token) {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
		if k.questions() > asked && !keystoneShaped(token, strings.Count(token, ".") == 2) {
			t.Fatalf("asked about %q", token)
		}
		c.move(time.Second) // tickets end
	})
}

// FuzzOrigin checks that a canonical origin stays as it is.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{"https://horizon.example", "HTTP://H:80/", "https://[::1]:443", "null", "//x", "https://u@h", "https://h?", "http://h#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one, err := parseOrigin(s)
		if err != nil {
			return
		}
		if two, err := parseOrigin(one); err != nil || two != one {
			t.Fatalf("%q is %q is %q, %v", s, one, two, err)
		}
	})
}

// FuzzKeystoneAnswer checks that no answer makes an identity without a user or an
// expiry.
func FuzzKeystoneAnswer(f *testing.F) {
	k := newFakeKeystone(f)
	a, c := newTest(f, func(cfg *Config) { cfg.Keystone.URL = k.URL })
	f.Add(200, `{"token":`+subjectJSON(c.now().Add(time.Hour), "u1", memberOf)+`}`)
	f.Add(203, `{"token":{"user":{"id":"u"},"expires_at":"2999-01-01T00:00:00Z","roles":[null],"project":null,"system":{}}}`)
	f.Add(200, `{"token":[]}`)
	f.Add(404, `{"error":{}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		k.set(func() { k.status, k.body = status, body })
		id, err := a.keystone.validate(t.Context(), "good")
		if err == nil && (id.User == "" || !id.Expires.After(c.now())) {
			t.Fatalf("%+v", id)
		}
	})
}
