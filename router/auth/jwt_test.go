package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
)

const testSecret = "0123456789abcdef0123456789abcdef"

// Keys of every kind, made once because RSA is slow.
var testKeys = sync.OnceValue(func() map[string]any {
	keys := map[string]any{"hmac": []byte(testSecret)}
	for name, bits := range map[string]int{"rsa": 2048, "other rsa": 2048, "weak rsa": 1024} {
		keys[name] = must(rsa.GenerateKey(rand.Reader, bits))
	}
	keys["p256"] = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	keys["p384"] = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	keys["p521"] = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, keys["ed25519"], _ = ed25519.GenerateKey(rand.Reader)
	return keys
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func publicPEM(t testing.TB, key any) []byte {
	t.Helper()
	var pub any
	switch k := key.(type) {
	case *rsa.PrivateKey:
		pub = &k.PublicKey
	case *ecdsa.PrivateKey:
		pub = &k.PublicKey
	case ed25519.PrivateKey:
		pub = k.Public()
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func file(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sign(t testing.TB, alg, key string, claims jwt.MapClaims, header ...string) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims)
	for i := 0; i < len(header); i += 2 {
		token.Header[header[i]] = header[i+1]
	}
	text, err := token.SignedString(testKeys()[key])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodClaims(c *clock) jwt.MapClaims {
	return jwt.MapClaims{"sub": "u1", "project_id": "p1", "roles": []string{"member"}, "exp": c.now().Add(time.Hour).Unix()}
}

func with(claims jwt.MapClaims, name string, value any) jwt.MapClaims {
	claims = maps.Clone(claims)
	if value == nil {
		delete(claims, name)
	} else {
		claims[name] = value
	}
	return claims
}

// Tries every algorithm against every kind of key. Only those that belong together
// may pass.
func TestJWTAlgorithms(t *testing.T) {
	fits := map[string]string{
		"HS256": "hmac", "HS384": "hmac", "HS512": "hmac",
		"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
		"ES256": "p256", "ES384": "p384", "ES512": "p521", "EdDSA": "ed25519",
	}
	for _, key := range []string{"hmac", "rsa", "p256", "p384", "p521", "ed25519"} {
		a, c := newTest(t, func(cfg *Config) {
			if key == "hmac" {
				cfg.JWT.HMACSecretFile = file(t, []byte(testSecret+"\n"))
			} else {
				cfg.JWT.PublicKeyFile = file(t, publicPEM(t, testKeys()[key]))
			}
		})
		for alg, signer := range fits {
			t.Run(key+" judges "+alg, func(t *testing.T) {
				id, err := a.Authenticate(t.Context(), nil, sign(t, alg, signer, goodClaims(c)))
				if signer != key {
					wantError(t, err, ErrUnauthorized)
					return
				}
				if err != nil || id.User != "u1" || id.Project != "p1" || id.Admin {
					t.Fatalf("%+v %v", id, err)
				}
			})
		}
	}
}

func TestJWTClaims(t *testing.T) {
	a, c := newTest(t, func(cfg *Config) {
		cfg.JWT = JWTConfig{HMACSecret: testSecret, Audience: "realtime", Issuer: "idp", Leeway: 30 * time.Second, JWKSRefresh: time.Minute}
		cfg.AdminRoles = []string{"admin", "auditor"}
	})
	good := goodClaims(c)
	good["aud"], good["iss"] = []string{"other", "realtime"}, "idp"
	at := func(d time.Duration) int64 { return c.now().Add(d).Unix() }
	many := make([]string, maxClaimList+1)
	for name, tc := range map[string]struct {
		claims jwt.MapClaims
		want   error
	}{
		"good":                          {good, nil},
		"audience as text":              {with(good, "aud", "realtime"), nil},
		"wrong audience":                {with(good, "aud", "other"), ErrUnauthorized},
		"no audience":                   {with(good, "aud", nil), ErrUnauthorized},
		"wrong issuer":                  {with(good, "iss", "idp2"), ErrUnauthorized},
		"no issuer":                     {with(good, "iss", nil), ErrUnauthorized},
		"expired":                       {with(good, "exp", at(-time.Minute)), ErrExpired},
		"expired within the leeway":     {with(good, "exp", at(-20*time.Second)), nil},
		"expired, for another audience": {with(with(good, "exp", at(-time.Minute)), "aud", "other"), ErrUnauthorized},
		"expired, of another issuer":    {with(with(good, "exp", at(-time.Minute)), "iss", "x"), ErrUnauthorized},
		"no exp":                        {with(good, "exp", nil), ErrUnauthorized},
		"exp is text":                   {with(good, "exp", "never"), ErrUnauthorized},
		"exp is 0":                      {with(good, "exp", 0), ErrUnauthorized},
		"exp is beyond numbers":         {with(good, "exp", 1e300), ErrExpired},
		"not yet valid":                 {with(good, "nbf", at(time.Minute)), ErrUnauthorized},
		"valid within the leeway":       {with(good, "nbf", at(20*time.Second)), nil},
		"issued tomorrow":               {with(good, "iat", at(24*time.Hour)), ErrUnauthorized},
		"no sub":                        {with(good, "sub", nil), ErrUnauthorized},
		"empty sub":                     {with(good, "sub", ""), ErrUnauthorized},
		"sub is a number":               {with(good, "sub", 7), ErrUnauthorized},
		"no project":                    {with(good, "project_id", nil), nil},
		"project is an array":           {with(good, "project_id", []string{"p1"}), ErrUnauthorized},
		"no roles":                      {with(good, "roles", nil), nil},
		"roles is text":                 {with(good, "roles", "admin"), ErrUnauthorized},
		"roles has a number":            {with(good, "roles", []any{"member", 1}), ErrUnauthorized},
		"too many roles":                {with(good, "roles", many), ErrUnauthorized},
		"channels is text":              {with(good, "channels", "public/*"), ErrUnauthorized},
		"channels has a bad one":        {with(good, "channels", []string{"public/*", "project/*"}), ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", tc.claims))
			if tc.want != nil {
				wantError(t, err, tc.want)
				return
			}
			if err != nil || id.User != "u1" || id.Expires.Before(c.now()) {
				t.Fatalf("%+v %v", id, err)
			}
		})
	}
	read := func(claims jwt.MapClaims) *Identity {
		t.Helper()
		id, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", claims))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if id := read(with(good, "roles", []string{"member", "Auditor"})); !id.Admin {
		t.Errorf("an admin role did not make an admin: %+v", id)
	}
	if id := read(with(good, "Roles", []string{"admin"})); id.Admin {
		t.Errorf("a claim of another spelling made an admin: %+v", id)
	}
	if id := read(with(good, "project_id", nil)); id.Project != "" || len(id.Hearable()) != 2 {
		t.Errorf("without a project: %+v", id)
	}
	id := read(with(good, "channels", []string{"project/p1/instances", "admin/x"}))
	if got := strings.Join(id.Hearable(), " "); got != "project/p1/instances" {
		t.Errorf("narrowed to %q", got)
	}
	if id := read(with(good, "channels", []string{})); id.Channels == nil || len(id.Hearable()) != 0 {
		t.Errorf("an empty list does not leave nothing: %+v", id)
	}
	if id := read(with(good, "name", "Ann")); id.Name != "Ann" || !id.RevalidateAt().IsZero() {
		t.Errorf("%+v", id)
	}
}

// Forged tokens.
func TestHostileJWT(t *testing.T) {
	rsaFile := publicPEM(t, testKeys()["rsa"])
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.PublicKeyFile = file(t, rsaFile) })
	good := goodClaims(c)
	admin := with(good, "roles", []string{"admin"})
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	claims := fmt.Sprintf(`{"sub":"u1","roles":["admin"],"exp":%d}`, c.now().Add(time.Hour).Unix())
	none := func(header string) string { return part(header) + "." + part(claims) + "." }
	signed := sign(t, "RS256", "rsa", good)
	head, rest, _ := strings.Cut(signed, ".")
	_, signature, _ := strings.Cut(rest, ".")
	confused := func(secret []byte) string {
		text := part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(claims)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	block, _ := pem.Decode(rsaFile)
	for name, token := range map[string]string{
		"alg none":                      none(`{"alg":"none"}`),
		"alg None":                      none(`{"alg":"None"}`),
		"alg NONE with a signature":     none(`{"alg":"NONE"}`) + signature,
		"alg empty":                     none(`{"alg":""}`),
		"no alg":                        none(`{"typ":"JWT"}`),
		"alg is a number":               none(`{"alg":0}`),
		"alg is null":                   none(`{"alg":null}`),
		"alg unknown":                   none(`{"alg":"RS257"}`),
		"HS256 with the public key PEM": confused(rsaFile),
		"HS256 with its DER":            confused(block.Bytes),
		"HS256 with nothing":            confused(nil),
		"signed by somebody else":       sign(t, "RS256", "other rsa", admin),
		"key in the header":             sign(t, "RS256", "other rsa", admin, "jwk", `{"kty":"RSA","n":"AQAB","e":"AQAB"}`),
		"key set in the header":         sign(t, "RS256", "other rsa", admin, "jku", "http://127.0.0.1:1/jwks"),
		"certificate in the header":     sign(t, "RS256", "other rsa", admin, "x5u", "http://127.0.0.1:1/cert"),
		"kid is a path":                 sign(t, "RS256", "other rsa", admin, "kid", "../../../dev/null"),
		"extension to be understood":    sign(t, "RS256", "rsa", good, "crit", "b64"),
		"claims of another token":       head + "." + part(claims) + "." + signature,
		"signature cut":                 signed[:len(signed)-4],
		"signature missing":             strings.TrimSuffix(signed, signature),
		"signature of zeros":            strings.TrimSuffix(signed, signature) + strings.Repeat("A", len(signature)),
		"two parts":                     head + "." + part(claims),
		"four parts":                    signed + ".x",
		"padding":                       signed + "==",
		"line break":                    signed + "\n",
		"standard alphabet":             strings.Replace(signed, "e", "+", 1),
		"claims are an array":           head + "." + part(`["sub"]`) + "." + signature,
		"header is null":                part("null") + "." + part(claims) + "." + signature,
		"deep header":                   part(`{"alg":`+strings.Repeat("[", 4000)) + "." + part(claims) + ".",
		"huge":                          sign(t, "RS256", "rsa", with(good, "name", strings.Repeat("x", maxToken))),
	} {
		t.Run(name, func(t *testing.T) {
			id, err := a.Authenticate(t.Context(), nil, token)
			wantError(t, err, ErrUnauthorized)
			if id != nil {
				t.Fatalf("%+v", id)
			}
			if len(err.Error()) > 400 || len(token) > 100 && strings.Contains(err.Error(), token[:100]) {
				t.Fatalf("the error quotes the token: %.500s", err)
			}
		})
	}
	if _, err := a.Authenticate(t.Context(), nil, signed); err != nil {
		t.Fatalf("the good one: %v", err)
	}
}

func TestRevalidateJWT(t *testing.T) {
	a, c := newTest(t, func(cfg *Config) { cfg.JWT.HMACSecret = testSecret })
	id, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", goodClaims(c)))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.Revalidate(t.Context(), id); err != nil || again.User != "u1" {
		t.Fatalf("%+v %v", again, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", id, id, *id); strings.Contains(text, "eyJ") {
		t.Fatalf("printing an identity prints its token: %s", text)
	}
	c.move(time.Hour + a.cfg.JWT.Leeway)
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrExpired)
}

func TestKeyFiles(t *testing.T) {
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(testKeys()["p256"]))})
	rsaKey := testKeys()["rsa"].(*rsa.PrivateKey)
	for name, c := range map[string]struct {
		content []byte
		want    string // "" is good
	}{
		"PKIX":       {publicPEM(t, rsaKey), ""},
		"PKCS #1":    {pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)}), ""},
		"empty":      {nil, "it holds no PEM block; `openssl pkey -pubout` writes one"},
		"a secret":   {[]byte(testSecret), "it holds no PEM block; `openssl pkey -pubout` writes one"},
		"private":    {private, "it holds a private key; the router needs only the public one, which `openssl pkey -pubout` writes"},
		"two":        {append(publicPEM(t, rsaKey), publicPEM(t, rsaKey)...), "it holds several PEM blocks; for several keys use jwks_file"},
		"weak":       {publicPEM(t, testKeys()["weak rsa"]), "no signature is accepted from a key like this; use RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519"},
		"not a cert": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "parse its CERTIFICATE: x509: malformed certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, c.content)
			cfg := DefaultConfig()
			cfg.JWT.PublicKeyFile = path
			_, err := New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != "[auth.jwt] public_key_file "+path+": "+c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
	path := file(t, []byte("short\n"))
	for path, want := range map[string]string{
		path:          "[auth.jwt] hmac_secret_file " + path + ": it has 5 bytes: at least 32, such as `openssl rand -hex 32` gives",
		path + "-not": "read [auth.jwt] hmac_secret_file: open " + path + "-not: no such file or directory",
	} {
		cfg := DefaultConfig()
		cfg.JWT.HMACSecretFile = path
		_, err := New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
