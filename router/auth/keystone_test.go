package auth

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// fakeKeystone answers `GET /v3/auth/tokens` as Keystone does. Its errors quote the
// token, too.
type fakeKeystone struct {
	*httptest.Server
	t testing.TB

	mu     sync.Mutex
	tokens map[string]string // token → the member "token" of the answer
	status int               // other than 0: the answer to everything
	body   string
	asked  int
	now    int    // questions under way
	peak   int    // the most there were at the same time
	during func() // runs while a question is being answered
}

func newFakeKeystone(t testing.TB) *fakeKeystone {
	k := &fakeKeystone{t: t, tokens: map[string]string{}}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

func (k *fakeKeystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.asked++
	k.now++
	k.peak = max(k.peak, k.now)
	status, body, during := k.status, k.body, k.during
	token := r.Header.Get("X-Auth-Token")
	answer, known := k.tokens[token]
	k.mu.Unlock()
	if during != nil {
		during()
	}
	k.set(func() { k.now-- })
	if r.Method == "GET" && r.URL.Path == "/v3/" {
		if status == 0 {
			status, body = http.StatusOK, `{"version":{"id":"v3.14","status":"stable"}}`
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return
	}
	if r.Method != "GET" || r.URL.Path != "/v3/auth/tokens" || r.URL.RawQuery != "nocatalog" || r.Header.Get("X-Subject-Token") != token {
		k.t.Errorf("asked %s %s for %q", r.Method, r.URL, r.Header.Get("X-Subject-Token"))
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case status == http.StatusFound:
		w.Header().Set("Location", body)
		w.WriteHeader(status)
	case status != 0:
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	case !known:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"code":401,"message":"Could not find token: %s.","title":"Unauthorized"}}`, token)
	default:
		w.Header().Set("X-Subject-Token", token)
		fmt.Fprintf(w, `{"token":%s}`, answer)
	}
}

func (k *fakeKeystone) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

func (k *fakeKeystone) most() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.peak
}

func (k *fakeKeystone) questions() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked
}

// subjectJSON is Keystone 22's answer about a token. scope is the members after the
// user.
func subjectJSON(expires time.Time, user, scope string) string {
	return fmt.Sprintf(`{"methods":["password"],"user":{"domain":{"id":"default","name":"Default"},"id":%q,"name":"ann","password_expires_at":null},
		"audit_ids":["x"],"expires_at":%q,"issued_at":"2026-11-23T14:51:20.000000Z",%s}`, user, expires.UTC().Format("2006-01-02T15:04:05.000000Z"), scope)
}

// fernet is a token that has the shape of Keystone's.
func fernet(name string) string {
	return "gAAAAAB" + strings.ReplaceAll(name, " ", "_") + strings.Repeat("-", minKeystoneToken)
}

var (
	goodToken = fernet("good")
	newToken  = fernet("new")
)

const memberOf = `"is_domain":false,"project":{"domain":{"id":"d1","name":"D"},"id":"p1","name":"P"},"roles":[{"id":"r","name":"member"}]`

func withKeystone(t testing.TB, change func(*Config)) (*Authenticator, *fakeKeystone, *clock) {
	k := newFakeKeystone(t)
	a, c := newTest(t, func(cfg *Config) {
		cfg.Keystone.URL, cfg.Keystone.Direct = k.URL, true
		if change != nil {
			change(cfg)
		}
	})
	k.tokens[goodToken] = subjectJSON(c.now().Add(time.Hour), "u1", memberOf)
	return a, k, c
}

func TestKeystoneScopes(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	roles := func(names ...string) string {
		var list []map[string]string
		for _, name := range names {
			list = append(list, map[string]string{"name": name})
		}
		text, _ := json.Marshal(list)
		return `"roles":` + string(text)
	}
	project := `"project":{"domain":{"id":"d1"},"id":"p1"},`
	for name, tc := range map[string]struct {
		scope   string
		project string
		admin   bool
	}{
		"project member":               {project + roles("member", "reader"), "p1", false},
		"project reader is no admin":   {project + roles("reader"), "p1", false},
		"project admin":                {project + roles("admin", "member", "reader"), "p1", true},
		"project admin, other case":    {project + roles("Admin"), "p1", true},
		"admin of no admin project":    {`"is_admin_project":false,` + project + roles("admin"), "p1", false},
		"admin of the admin project":   {`"is_admin_project":true,` + project + roles("admin"), "p1", true},
		"system reader":                {`"system":{"all":true},` + roles("reader"), "", true},
		"system admin":                 {`"system":{"all":true},` + roles("admin", "member", "reader"), "", true},
		"system with some other role":  {`"system":{"all":true},` + roles("billing"), "", false},
		"not all of the system":        {`"system":{"all":false},` + roles("reader"), "", false},
		"domain admin":                 {`"domain":{"id":"d1","name":"D"},` + roles("admin"), "", false},
		"no scope":                     {`"audit_ids":[]`, "", false},
		"a role almost named admin":    {project + roles("administrator", "admin "), "p1", false},
		"trust":                        {project + roles("member") + `,"OS-TRUST:trust":{"id":"t1","trustor_user":{"id":"u9"},"trustee_user":{"id":"u8"}}`, "p1", false},
		"application credential":       {project + roles("member") + `,"application_credential":{"id":"ac1","restricted":true}`, "p1", false},
		"what the future may bring is": {project + roles("member") + `,"new":{"a":[1]}`, "p1", false},
	} {
		t.Run(name, func(t *testing.T) {
			token := fernet(strings.ReplaceAll(name, ",", ""))
			k.set(func() { k.tokens[token] = subjectJSON(c.now().Add(time.Hour), "u1", tc.scope) })
			id, err := a.Authenticate(t.Context(), nil, token)
			if err != nil {
				t.Fatal(err)
			}
			if id.User != "u1" || id.Name != "ann" || id.Project != tc.project || id.Admin != tc.admin || !id.Expires.Equal(c.now().Add(time.Hour)) {
				t.Fatalf("%+v", id)
			}
			if !id.RevalidateAt().Equal(c.now().Add(300 * time.Second)) {
				t.Fatalf("due at %s", id.RevalidateAt())
			}
		})
	}
	for id, want := range map[string]bool{"t1": true, "u9": true, "u8": true, "d1": true, "default": true, "ac1": false, "": false} {
		trust, _ := a.Authenticate(t.Context(), nil, fernet("trust"))
		if trust.dependsOn(id) != want {
			t.Errorf("depends on %q: %v", id, !want)
		}
	}
}

func TestKeystoneErrors(t *testing.T) {
	secret := "gAAAAABlab-token-which-nobody-may-see-at-all"
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"unknown token":      {0, "", ErrUnauthorized},
		"400":                {400, "{}", ErrUnauthorized},
		"403":                {403, "{}", ErrUnauthorized},
		"404 with the token": {404, `{"error":{"message":"Could not find token: ` + secret + `"}}`, ErrUnauthorized},
		"429":                {429, "{}", ErrUnavailable},
		"500":                {500, "oops", ErrUnavailable},
		"503":                {503, "", ErrUnavailable},
		"300":                {300, `{"versions":{}}`, ErrUnavailable},
		"redirect":           {302, "http://127.0.0.1:1/", ErrUnavailable},
		"no JSON":            {200, "<html>", ErrUnavailable},
		"empty":              {200, "", ErrUnavailable},
		"no token":           {200, "{}", ErrUnavailable},
		"no user":            {200, `{"token":{"expires_at":"2999-01-01T00:00:00.000000Z"}}`, ErrUnavailable},
		"no end":             {200, `{"token":{"user":{"id":"u1"}}}`, ErrUnavailable},
		"end is no time":     {200, `{"token":{"user":{"id":"u1"},"expires_at":"soon"}}`, ErrUnavailable},
		"ended":              {200, `{"token":{"user":{"id":"u1"},"expires_at":"2001-01-01T00:00:00.000000Z"}}`, ErrExpired},
		"endless":            {200, `{"token":{"user":{"id":"` + strings.Repeat("x", 2*maxAnswer) + `"}}}`, ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			a, k, _ := withKeystone(t, nil)
			k.set(func() { k.status, k.body = c.status, c.body })
			id, err := a.Authenticate(t.Context(), nil, secret)
			wantError(t, err, c.want)
			if id != nil || strings.Contains(err.Error(), secret) || len(err.Error()) > 500 {
				t.Fatalf("%+v %.600v", id, err)
			}
		})
	}
	a, k, _ := withKeystone(t, nil)
	for name, token := range map[string]string{"line break": "a\r\nX-Evil: 1", "space": "a b", "not ASCII": "tökén", "NUL": "a\x00"} {
		_, err := a.Authenticate(t.Context(), nil, token)
		wantError(t, err, ErrUnauthorized)
		if k.questions() != 0 {
			t.Fatalf("%s: Keystone was asked", name)
		}
	}
}

func TestKeystoneCache(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	ask := func() (*Identity, error) { return a.Authenticate(t.Context(), nil, goodToken) }
	for range 3 {
		if _, err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if k.questions() != 1 {
		t.Fatalf("%d questions", k.questions())
	}
	// Keystone is down: who is known stays so to the limit, nobody is added.
	k.set(func() { k.status = 503 })
	c.move(299 * time.Second)
	id, err := ask()
	if err != nil || id.User != "u1" {
		t.Fatalf("%+v %v", id, err)
	}
	if _, err := a.Revalidate(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	_, err = a.Authenticate(t.Context(), nil, newToken)
	wantError(t, err, ErrUnavailable)
	c.move(time.Second)
	if c.now().Before(id.RevalidateAt()) {
		t.Fatal("not due yet")
	}
	_, err = ask()
	wantError(t, err, ErrUnavailable)
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrUnavailable)
	// It is up again, and has another opinion of the token.
	k.set(func() { k.status = 0; delete(k.tokens, goodToken) })
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrUnauthorized)
	c.move(time.Hour)
	_, err = a.Revalidate(t.Context(), id)
	wantError(t, err, ErrExpired)
}

func TestKeystoneCacheHonoursExpiry(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	k.tokens[fernet("short")] = subjectJSON(c.now().Add(10*time.Second), "u1", memberOf)
	if _, err := a.Authenticate(t.Context(), nil, fernet("short")); err != nil {
		t.Fatal(err)
	}
	c.move(10 * time.Second)
	_, err := a.Authenticate(t.Context(), nil, fernet("short"))
	wantError(t, err, ErrExpired)
}

func TestKeystoneCacheIsBounded(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) { cfg.Keystone.CacheSize = 3 })
	for i := range 10 {
		token := fernet(fmt.Sprintf("t%d-", i))
		k.set(func() { k.tokens[token] = subjectJSON(c.now().Add(time.Hour), "u1", memberOf) })
		if _, err := a.Authenticate(t.Context(), nil, token); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.keystone.cache.valid.len(); n != 3 || a.limited(limitCache) != 7 {
		t.Fatalf("%d entries, limit reached %v times", n, a.limited(limitCache))
	}
	if _, err := a.Authenticate(t.Context(), nil, fernet("t9-")); err != nil || k.questions() != 10 {
		t.Fatalf("the newest was not kept: %v, %d questions", err, k.questions())
	}
}

// Callers that wait for the same token share one question.
func TestKeystoneSingleFlight(t *testing.T) {
	a, k, _ := withKeystone(t, nil)
	const callers = 50
	started, release := make(chan struct{}, callers), make(chan struct{})
	k.during = func() { started <- struct{}{}; <-release }
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	for range callers {
		wg.Go(func() {
			_, err := a.Authenticate(t.Context(), nil, goodToken)
			errs <- err
		})
	}
	<-started
	close(release)
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	// A caller that came after the answer found it in the cache.
	if k.questions() != 1 {
		t.Fatalf("%d questions", k.questions())
	}
}

// A caller that looked into the cache just before an answer arrived there, and
// comes to ask just after, does not ask.
func TestQuestionJustAnswered(t *testing.T) {
	a, k, _ := withKeystone(t, nil)
	want, err := a.Authenticate(t.Context(), nil, goodToken)
	if err != nil {
		t.Fatal(err)
	}
	q, err := a.keystone.begin(nil, hashToken(goodToken), goodToken)
	if err != nil {
		t.Fatal(err)
	}
	<-q.done
	if q.id != want || q.err != nil || k.questions() != 1 {
		t.Fatalf("%+v, %v after %d questions", q.id, q.err, k.questions())
	}
}

// An answer that was under way while rights changed is asked for again.
func TestChangeDuringQuestion(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	first := true
	k.during = func() {
		if first {
			first = false
			k.set(func() {
				k.tokens[goodToken] = subjectJSON(c.now().Add(time.Hour), "u1", `"project":{"id":"p2"},"roles":[]`)
			})
			if _, ok := a.Revocation(notification(t, `{"event_type":"identity.user.updated","payload":{"resource_info":"u1"}}`)); !ok {
				t.Error("nobody affected")
			}
		}
	}
	id, err := a.Authenticate(t.Context(), nil, goodToken)
	if err != nil || id.Project != "p2" || k.questions() != 2 {
		t.Fatalf("%+v %v after %d questions", id, err, k.questions())
	}
}

func TestTokenBecomesAnothers(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	for name, answer := range map[string]string{
		"user":    subjectJSON(c.now().Add(time.Hour), "u2", memberOf),
		"project": subjectJSON(c.now().Add(time.Hour), "u1", strings.Replace(memberOf, "p1", "p2", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			token := fernet(name)
			k.set(func() { k.tokens[token] = k.tokens[goodToken] })
			id, err := a.Authenticate(t.Context(), nil, token)
			if err != nil {
				t.Fatal(err)
			}
			c.move(301 * time.Second)
			k.set(func() { k.tokens[token] = answer })
			_, err = a.Revalidate(t.Context(), id)
			wantError(t, err, ErrUnauthorized)
		})
	}
}

// Keystone's JWS tokens look like JWTs and still go to Keystone.
func TestKeystoneJWS(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) { cfg.JWT.HMACSecret = testSecret })
	claims := goodClaims(c)
	claims["openstack_methods"] = []string{"password"}
	jws := sign(t, "ES256", "p256", claims)
	k.tokens[jws] = subjectJSON(c.now().Add(time.Hour), "u7", memberOf)
	if id, err := a.Authenticate(t.Context(), nil, jws); err != nil || id.User != "u7" {
		t.Fatalf("%+v %v", id, err)
	}
	if id, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", goodClaims(c))); err != nil || id.User != "u1" || k.questions() != 1 {
		t.Fatalf("%+v %v", id, err)
	}
	// Signed with the router's own secret, but claiming to be Keystone's: Keystone decides.
	_, err := a.Authenticate(t.Context(), nil, sign(t, "HS256", "hmac", claims))
	wantError(t, err, ErrUnauthorized)
}

func TestKeystoneURL(t *testing.T) {
	k := newFakeKeystone(t)
	for _, suffix := range []string{"", "/", "/v3", "/v3/"} {
		a, c := newTest(t, func(cfg *Config) { cfg.Keystone.URL, cfg.Keystone.Direct = k.URL+suffix, true })
		k.set(func() { k.tokens[goodToken] = subjectJSON(c.now().Add(time.Hour), "u1", memberOf) })
		if _, err := a.Authenticate(t.Context(), nil, goodToken); err != nil {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}

func TestKeystoneCA(t *testing.T) {
	k := &fakeKeystone{t: t, tokens: map[string]string{}}
	k.Server = httptest.NewUnstartedServer(k)
	k.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the client that does not trust it
	k.StartTLS()
	t.Cleanup(k.Close)
	ca := file(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate().Raw}))
	trusting, c := newTest(t, func(cfg *Config) { cfg.Keystone.URL, cfg.Keystone.Direct, cfg.Keystone.CAFile = k.URL, true, ca })
	k.tokens[goodToken] = subjectJSON(c.now().Add(time.Hour), "u1", memberOf)
	if _, err := trusting.Authenticate(t.Context(), nil, goodToken); err != nil {
		t.Fatal(err)
	}
	wary, _ := newTest(t, func(cfg *Config) { cfg.Keystone.URL, cfg.Keystone.Direct = k.URL, true })
	_, err := wary.Authenticate(t.Context(), nil, goodToken)
	wantError(t, err, ErrUnavailable)

	for content, want := range map[string]string{
		"x": ": it holds no PEM certificate",
		"":  "read [auth.keystone] ca_file: ",
	} {
		cfg := DefaultConfig()
		cfg.Keystone.URL, cfg.Keystone.CAFile = k.URL, file(t, []byte(content))
		if content == "" {
			cfg.Keystone.CAFile += "-not"
		}
		_, err := New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestReach(t *testing.T) {
	a, k, _ := withKeystone(t, nil)
	if err := a.Reach(t.Context()); err != nil {
		t.Errorf("Keystone is there: %v", err)
	}
	for _, c := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"another service", `{"name":"nova"}`, http.StatusOK, "answers, but not as Keystone's v3 does"},
		{"a proxy's page", "<html>", http.StatusNotFound, "/v3/ answered 404; [auth.keystone] url is Keystone's own"},
	} {
		k.set(func() { k.status, k.body = c.status, c.body })
		if err := a.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	k.Close()
	if err := a.Reach(t.Context()); err == nil {
		t.Error("nobody is there, and that is no error")
	}
}
