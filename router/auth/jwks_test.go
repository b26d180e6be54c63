package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"

	"horizon-realtime/router/testwait"
)

// jwk writes one of the test keys as a JSON Web Key.
func jwk(t testing.TB, key, kid string, private bool, use jwkset.USE) string {
	t.Helper()
	value := testKeys()[key]
	if !private {
		switch k := value.(type) {
		case *rsa.PrivateKey:
			value = &k.PublicKey
		case *ecdsa.PrivateKey:
			value = &k.PublicKey
		case ed25519.PrivateKey:
			value = k.Public()
		}
	}
	made, err := jwkset.NewJWKFromKey(value, jwkset.JWKOptions{
		Marshal:  jwkset.JWKMarshalOptions{Private: private},
		Metadata: jwkset.JWKMetadataOptions{KID: kid, USE: use},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func jwks(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// issuer publishes a key set that the test can change.
type issuer struct {
	*httptest.Server
	mu     sync.Mutex
	set    string
	status int
	asked  int
}

func newIssuer(t testing.TB, set string) *issuer {
	i := &issuer{set: set, status: http.StatusOK}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked++
		w.WriteHeader(i.status)
		fmt.Fprint(w, i.set)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) change(set string, status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.set, i.status = set, status
}

func (i *issuer) questions() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func TestJWKSOfManyKinds(t *testing.T) {
	set := jwks(jwk(t, "rsa", "r", false, ""), jwk(t, "p256", "e", false, "sig"), jwk(t, "p521", "e5", true, ""),
		jwk(t, "ed25519", "d", false, ""), jwk(t, "weak rsa", "w", false, ""), jwk(t, "p384", "enc", false, "enc"),
		`{"kty":"oct","kid":"o","k":"`+testSecret+`"}`, `{"kty":"new","kid":"n"}`, `7`)
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.JWKSFile = file(t, []byte(set)) })
	for name, tc := range map[string]struct {
		token string
		good  bool
	}{
		"RSA":                           {sign(t, "RS256", "rsa", goodClaims(c), "kid", "r"), true},
		"RSA-PSS":                       {sign(t, "PS512", "rsa", goodClaims(c), "kid", "r"), true},
		"ECDSA":                         {sign(t, "ES256", "p256", goodClaims(c), "kid", "e"), true},
		"private key in the set":        {sign(t, "ES512", "p521", goodClaims(c), "kid", "e5"), true},
		"Ed25519":                       {sign(t, "EdDSA", "ed25519", goodClaims(c), "kid", "d"), true},
		"no kid":                        {sign(t, "ES256", "p256", goodClaims(c)), true},
		"no kid, of another key":        {sign(t, "RS256", "other rsa", goodClaims(c)), false},
		"no kid, no key of the kind":    {sign(t, "ES384", "p384", goodClaims(c)), false},
		"kid of another kind":           {sign(t, "ES256", "p256", goodClaims(c), "kid", "r"), false},
		"kid of another key":            {sign(t, "RS256", "other rsa", goodClaims(c), "kid", "r"), false},
		"kid unknown":                   {sign(t, "RS256", "rsa", goodClaims(c), "kid", "x"), false},
		"kid empty":                     {sign(t, "RS256", "rsa", goodClaims(c), "kid", ""), false},
		"weak key":                      {sign(t, "RS256", "weak rsa", goodClaims(c), "kid", "w"), false},
		"key for encryption":            {sign(t, "ES384", "p384", goodClaims(c), "kid", "enc"), false},
		"symmetric key of the set":      {sign(t, "HS256", "hmac", goodClaims(c), "kid", "o"), false},
		"HMAC without a kid":            {sign(t, "HS256", "hmac", goodClaims(c)), false},
		"HMAC with the kid of RSA's":    {sign(t, "HS256", "hmac", goodClaims(c), "kid", "r"), false},
		"somebody else's with jku":      {sign(t, "RS256", "other rsa", goodClaims(c), "kid", "r", "jku", "http://127.0.0.1:1/"), false},
		"somebody else's, kid injected": {sign(t, "RS256", "other rsa", goodClaims(c), "kid", "r' OR '1'='1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Authenticate(t.Context(), nil, tc.token)
			if !tc.good {
				wantError(t, err, ErrUnauthorized)
			} else if err != nil || id.User != "u1" {
				t.Fatalf("%+v %v", id, err)
			}
		})
	}
}

func TestJWKSRotation(t *testing.T) {
	first, second := jwk(t, "rsa", "1", false, ""), jwk(t, "p256", "2", false, "")
	i := newIssuer(t, jwks(first))
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.JWKSURL = i.URL + "/jwks" })
	old, young := sign(t, "RS256", "rsa", goodClaims(c), "kid", "1"), sign(t, "ES256", "p256", goodClaims(c), "kid", "2")
	try := func(token string) error {
		_, err := a.Authenticate(t.Context(), nil, token)
		return err
	}
	// Not read yet: the first token asks for it.
	wantError(t, try(old), nil)
	// A made-up key id does not ask again so soon, nor lock anybody out.
	for range 5 {
		wantError(t, try(young), ErrUnauthorized)
	}
	if i.questions() != 1 {
		t.Fatalf("%d questions", i.questions())
	}
	i.change(jwks(second, first), http.StatusOK)
	c.move(unknownKeyPause)
	wantError(t, try(young), nil)
	wantError(t, try(old), nil)
	if i.questions() != 2 {
		t.Fatalf("%d questions", i.questions())
	}
	// The issuer is down: what is known stays, what is not may come.
	i.change("", http.StatusBadGateway)
	c.move(unknownKeyPause)
	unknown := sign(t, "RS256", "rsa", goodClaims(c), "kid", "3")
	wantError(t, try(unknown), ErrUnavailable)
	wantError(t, try(unknown), ErrUnavailable)
	wantError(t, try(young), nil)
	if i.questions() != 3 {
		t.Fatalf("%d questions", i.questions())
	}
	// The first key is withdrawn.
	i.change(jwks(second), http.StatusOK)
	c.move(unknownKeyPause)
	wantError(t, try(unknown), ErrUnauthorized)
	wantError(t, try(old), ErrUnauthorized)
}

// Run reads the set at the start, and again after a failure.
func TestJWKSRun(t *testing.T) {
	i := newIssuer(t, "")
	i.change("", http.StatusServiceUnavailable)
	a, _ := newTest(t, func(cfg *Config) { cfg.JWT.JWKSURL = i.URL })
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	testwait.Until(t, "the first question is asked", func() bool { return i.questions() > 0 })
	i.change(jwks(jwk(t, "rsa", "1", false, "")), http.StatusOK)
	set := a.jwt.keys.(*keySet)
	testwait.Until(t, "the set is there", func() bool { return set.current.Load() != nil })
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestJWKSFileChanges(t *testing.T) {
	path := file(t, []byte(jwks(jwk(t, "rsa", "1", false, ""))))
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.JWKSFile = path })
	if err := os.WriteFile(path, []byte(jwks(jwk(t, "p256", "2", false, ""))), 0o600); err != nil {
		t.Fatal(err)
	}
	c.move(unknownKeyPause + time.Second) // the clock starts at a whole second, after New
	_, err := a.Authenticate(t.Context(), nil, sign(t, "ES256", "p256", goodClaims(c), "kid", "2"))
	wantError(t, err, nil)
}

func TestBadJWKS(t *testing.T) {
	for name, c := range map[string]struct{ set, want string }{
		"no JSON":      {"x", "parse the key set: invalid character 'x' looking for beginning of value"},
		"no keys":      {"{}", "the key set has no key that can verify a signature"},
		"secrets only": {jwks(`{"kty":"oct","k":"` + testSecret + `"}`), "the key set has no key that can verify a signature"},
		"too many":     {jwks(strings.Split(strings.Repeat("{},", maxJWKSKeys)+"{}", ",")...), "the key set has 101 keys, over the limit of 100"},
		"too large":    {strings.Repeat(" ", (1<<20)+1), "it is over the limit of 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newTest(t, func(cfg *Config) { cfg.JWT.JWKSURL = newIssuer(t, c.set).URL })
			if err := a.jwt.keys.(*keySet).refresh(t.Context()); err == nil || err.Error() != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
		})
	}
}
