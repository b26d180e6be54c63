package auth

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/time/rate"
)

// Each key file is used again when it changes; a change for the worse is logged
// and counted, and changes nothing.
func TestFilesAreReadAgain(t *testing.T) {
	second := strings.ToUpper(testSecret)
	for key, c := range map[string]struct {
		first, second []byte
		set           func(cfg *Config, path string)
		good          func(t *testing.T, c *clock) string // a token of the second file
	}{
		"[auth.jwt] hmac_secret_file": {[]byte(strings.Repeat("x", minSecret)), []byte(testSecret),
			func(cfg *Config, path string) { cfg.JWT.HMACSecretFile = path },
			func(t *testing.T, c *clock) string { return sign(t, "HS256", "hmac", goodClaims(c)) }},
		"[auth.jwt] public_key_file": {publicPEM(t, testKeys()["rsa"]), publicPEM(t, testKeys()["p256"]),
			func(cfg *Config, path string) { cfg.JWT.PublicKeyFile = path },
			func(t *testing.T, c *clock) string { return sign(t, "ES256", "p256", goodClaims(c)) }},
		"[auth.jwt] jwks_file": {[]byte(jwks(jwk(t, "rsa", "1", false, ""))), []byte(jwks(jwk(t, "p256", "1", false, ""))),
			func(cfg *Config, path string) { cfg.JWT.JWKSFile = path },
			func(t *testing.T, c *clock) string { return sign(t, "ES256", "p256", goodClaims(c), "kid", "1") }},
	} {
		t.Run(key, func(t *testing.T) {
			path := file(t, c.first)
			a, clock := newTest(t, func(cfg *Config) { c.set(cfg, path) })
			var log strings.Builder
			a.files.log = slog.New(slog.NewTextHandler(&log, nil))
			unusable := func() float64 { return testutil.ToFloat64(a.metrics.files.WithLabelValues(key)) }
			token := c.good(t, clock)
			try := func(want error) {
				t.Helper()
				a.files.check()
				_, err := a.Authenticate(t.Context(), nil, token)
				wantError(t, err, want)
			}
			try(ErrUnauthorized)
			if log.Len() > 0 || unusable() != 0 {
				t.Errorf("nothing has changed: %s", log.String())
			}
			write(t, path, c.second)
			try(nil)
			write(t, path, []byte("half of a"))
			try(nil)
			try(nil)
			if got := log.String(); strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, key) || !strings.Contains(got, path) || unusable() != 1 {
				t.Errorf("unusable %v; %s", unusable(), got)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			try(nil)
			try(nil)
			if got := log.String(); strings.Count(got, "level=ERROR") != 2 || unusable() != 1 {
				t.Errorf("unusable %v; %s", unusable(), got)
			}
			write(t, path, c.first)
			try(ErrUnauthorized)
			if unusable() != 0 || strings.Contains(log.String(), second) || strings.Contains(log.String(), testSecret) {
				t.Errorf("unusable %v; %s", unusable(), log.String())
			}
		})
	}
}

// A secret is mounted by a link that turns to another folder, as in Kubernetes.
func TestFileBehindALink(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"1": strings.Repeat("x", minSecret), "2": testSecret} {
		write(t, filepath.Join(dir, name), []byte(text))
	}
	link := filepath.Join(dir, "secret")
	turn := func(to string) {
		t.Helper()
		os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	turn("1")
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.HMACSecretFile = link })
	turn("2")
	a.files.check()
	_, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", goodClaims(c)))
	wantError(t, err, nil)
}

// Keystone's certificate is renewed by another authority.
func TestCAFileChanges(t *testing.T) {
	k := &fakeKeystone{t: t, tokens: map[string]string{}}
	k.Server = httptest.NewUnstartedServer(k)
	k.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it would tell of the client that does not trust it
	k.StartTLS()
	t.Cleanup(k.Close)
	key := testKeys()["p256"].(*ecdsa.PrivateKey)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	old := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	certificate := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	path := file(t, certificate(old))
	a, c := newTest(t, func(cfg *Config) { cfg.Keystone.URL, cfg.Keystone.Direct, cfg.Keystone.CAFile = k.URL, true, path })
	k.tokens[goodToken] = subjectJSON(c.now().Add(time.Hour), "u1", memberOf)
	_, err := a.Authenticate(t.Context(), nil, goodToken)
	if !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	write(t, path, certificate(k.Certificate().Raw))
	a.files.check()
	_, err = a.Authenticate(t.Context(), nil, goodToken)
	wantError(t, err, nil)
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRefusalLog(t *testing.T) {
	var out strings.Builder
	l := NewRefusalLog(slog.New(slog.NewTextHandler(&out, nil)))
	l.allowed.SetLimit(0)
	for range 50 {
		l.Log(slog.LevelInfo, "ticket refused", "peer", "192.0.2.1")
	}
	if n := strings.Count(out.String(), "\n"); n != 10 {
		t.Fatalf("%d lines", n)
	}
	l.allowed.SetLimit(rate.Inf)
	l.Log(slog.LevelInfo, "ticket refused", "peer", "192.0.2.1")
	if !strings.Contains(out.String(), "skipped=40") {
		t.Fatal(out.String())
	}
}
