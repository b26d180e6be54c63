package auth

import (
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
