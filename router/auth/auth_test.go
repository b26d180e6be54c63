package auth

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock stands still until it is moved.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time        { return time.Unix(0, c.nanos.Load()) }
func (c *clock) move(by time.Duration) { c.nanos.Add(int64(by)) }

// newTest makes an Authenticator whose clock the test moves. It is closed with the
// test.
func newTest(t testing.TB, change func(*Config)) (*Authenticator, *clock) {
	t.Helper()
	cfg := DefaultConfig()
	change(&cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	a, err := New(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	c.nanos.Store(time.Now().Truncate(time.Second).UnixNano())
	a.now = c.now
	if a.keystone != nil {
		a.keystone.slots.pace.SetLimit(rate.Inf) // the tests that are about it set it again
	}
	t.Cleanup(func() {
		if a.keystone != nil {
			a.keystone.close()
		}
	})
	return a, c
}

func (a *Authenticator) limited(limit string) float64 {
	return testutil.ToFloat64(a.metrics.limits.WithLabelValues(limit))
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, other := range []error{ErrUnauthorized, ErrExpired, ErrUnavailable} {
		if want != nil && other != want && errors.Is(err, other) {
			t.Fatalf("error %v is also %v", err, other)
		}
	}
}

func notification(t testing.TB, text string) *event.Notification {
	t.Helper()
	n := &event.Notification{}
	if err := n.Load([]byte(text)); err != nil {
		t.Fatal(err)
	}
	typ, err := json.ParsePointer("/event_type")
	if err != nil {
		t.Fatal(err)
	}
	n.Type = n.Get(typ).Text()
	return n
}

func TestAnonymous(t *testing.T) {
	plain := func(remote, host string, headers ...string) *http.Request {
		r := httptest.NewRequest("GET", "http://"+host+"/realtime/connection/websocket", nil)
		r.RemoteAddr = remote
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		return r
	}
	const local = "127.0.0.1:40000"
	for name, c := range map[string]struct {
		r      *http.Request
		let    bool
		reason string
	}{
		"loopback":                {plain(local, "localhost:8080"), true, ""},
		"loopback, other number":  {plain("127.9.9.9:1", "127.0.0.1:8080"), true, ""},
		"loopback, IPv6":          {plain("[::1]:40000", "[::1]:8080"), true, ""},
		"loopback, mapped":        {plain("[::ffff:127.0.0.1]:1", "localhost"), true, ""},
		"origin on this machine":  {plain(local, "localhost:8080", "Origin", "http://localhost:8080"), true, ""},
		"another machine":         {plain("10.0.0.7:40000", "localhost:8080"), false, "not a loopback address"},
		"mapped other machine":    {plain("[::ffff:10.0.0.7]:1", "localhost"), false, "not a loopback address"},
		"no address":              {plain("", "localhost"), false, "not a loopback address"},
		"unix socket":             {plain("@", "localhost"), false, "not a loopback address"},
		"X-Forwarded-For":         {plain(local, "localhost", "X-Forwarded-For", "127.0.0.1"), false, "X-Forwarded-For"},
		"X-Forwarded-For, empty":  {plain(local, "localhost", "X-Forwarded-For", ""), false, "X-Forwarded-For"},
		"X-Forwarded-Proto":       {plain(local, "localhost", "X-Forwarded-Proto", "https"), false, "X-Forwarded-Proto"},
		"Forwarded":               {plain(local, "localhost", "Forwarded", "for=10.0.0.7"), false, "Forwarded"},
		"X-Real-IP":               {plain(local, "localhost", "X-Real-IP", "10.0.0.7"), false, "X-Real-Ip"},
		"Via":                     {plain(local, "localhost", "Via", "1.1 proxy"), false, "Via"},
		"host of another machine": {plain(local, "horizon.example"), false, "Host"},
		"name made to point here": {plain(local, "127.0.0.1.evil.example:8080"), false, "Host"},
		"foreign origin":          {plain(local, "localhost", "Origin", "https://evil.example"), false, "Origin"},
		"null origin":             {plain(local, "localhost", "Origin", "null"), false, "Origin"},
		"two origins":             {plain(local, "localhost", "Origin", "http://localhost", "Origin", "https://evil.example"), false, "Origin"},
		"no request":              {nil, false, "no request"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newTest(t, func(c *Config) {
				c.Anonymous = AnonymousConfig{Enabled: true, ProjectID: "demo", UserID: "me", Roles: []string{"member"}}
			})
			id, err := a.Authenticate(t.Context(), c.r, "")
			if !c.let {
				wantError(t, err, ErrUnauthorized)
				if !strings.Contains(err.Error(), c.reason) {
					t.Fatalf("%v does not say %q", err, c.reason)
				}
				return
			}
			if err != nil || id.User != "me" || id.Project != "demo" || id.Admin || !id.Expires.IsZero() || !id.RevalidateAt().IsZero() {
				t.Fatalf("%+v %v", id, err)
			}
			if again, err := a.Revalidate(t.Context(), id); again != id || err != nil {
				t.Fatalf("%+v %v", again, err)
			}
		})
	}
}

func TestAnonymousForcedAndClosed(t *testing.T) {
	r := httptest.NewRequest("GET", "https://horizon.example/", nil)
	r.Header.Set("X-Forwarded-For", "10.0.0.7")
	forced, _ := newTest(t, func(c *Config) {
		c.Anonymous = AnonymousConfig{Enabled: true, Force: true, ProjectID: "demo", Roles: []string{"Admin"}}
	})
	id, err := forced.Authenticate(t.Context(), r, "")
	if err != nil || id.Project != "demo" || !id.Admin {
		t.Fatalf("%+v %v", id, err)
	}
	closed, _ := newTest(t, func(*Config) {})
	_, err = closed.Authenticate(t.Context(), httptest.NewRequest("GET", "http://localhost/", nil), "")
	wantError(t, err, ErrUnauthorized)
	for _, token := range []string{"gAAAAAB", "hrt_x", "e30.e30.AAAA", strings.Repeat("x", maxToken+1)} {
		_, err = closed.Authenticate(t.Context(), nil, token)
		wantError(t, err, ErrUnauthorized)
	}
	if got := testutil.ToFloat64(closed.metrics.attempts.WithLabelValues(methodNone, "refused")); got != 3 {
		t.Fatalf("%v attempts counted", got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	k := newFakeKeystone(t)
	a, _ := newTest(t, func(c *Config) { c.Keystone.URL = k.URL; c.JWT.HMACSecret = testSecret })
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestConfig(t *testing.T) {
	if cfg := DefaultConfig(); cfg.Validate() != nil {
		t.Fatal(cfg.Validate())
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"two keys": {func(c *Config) { c.JWT.HMACSecret = testSecret; c.JWT.JWKSURL = "https://idp/jwks" },
			"[auth.jwt] has hmac_secret and jwks_url: set one of them, because the kind of key decides which signatures are accepted"},
		"short secret": {func(c *Config) { c.JWT.HMACSecret = "secret" },
			"[auth.jwt] hmac_secret has 6 bytes: at least 32, such as `openssl rand -hex 32` gives"},
		"audience alone": {func(c *Config) { c.JWT.Audience = "x" },
			"[auth.jwt] has an audience or an issuer and no key: set hmac_secret_file, public_key_file, jwks_file or jwks_url"},
		"not a URL": {func(c *Config) { c.Keystone.URL = "keystone:5000" },
			"[auth.keystone] url is not a URL: it looks like https://host:port/path"},
		"password in a URL": {func(c *Config) { c.Keystone.URL = "https://u:secret@keystone" },
			"[auth.keystone] url holds a user name or password: none is needed, take it out"},
		"long cache": {func(c *Config) { c.Keystone.CacheTTL = 301 * time.Second },
			`[auth.keystone] cache_ttl = "5m1s": between 1s and 5m0s`},
		"long ticket": {func(c *Config) { c.Ticket.TTL = time.Minute },
			`[auth.ticket] ttl = "1m0s": between 1s and 30s`},
		"no room": {func(c *Config) { c.Keystone.CacheSize = 0; c.Ticket.MaxPerUser = 0 },
			"[auth.keystone] cache_size = 0: between 1 and 1000000\n[auth.ticket] max_per_user = 0: between 1 and 10000"},
		"odd id": {func(c *Config) { c.Anonymous = AnonymousConfig{Enabled: true, ProjectID: "a/b"} },
			`[auth.anonymous] project_id = "a/b": an id has 1 to 64 characters of A-Z a-z 0-9 _ -`},
		"wildcard id": {func(c *Config) { c.Anonymous = AnonymousConfig{Enabled: true, UserID: "*"} },
			`[auth.anonymous] user_id = "*": an id has 1 to 64 characters of A-Z a-z 0-9 _ -`},
		"force alone": {func(c *Config) { c.Anonymous.Force = true },
			"[auth.anonymous] force without enabled does nothing: set enabled = true, or take force out"},
		"empty role": {func(c *Config) { c.AdminRoles = []string{"admin", ""} },
			"[auth] admin_roles has an empty name: every entry is the name of a Keystone role"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			if err := cfg.Validate(); err == nil || err.Error() != c.want {
				t.Fatalf("%v\nwant %s", err, c.want)
			}
		})
	}
}
