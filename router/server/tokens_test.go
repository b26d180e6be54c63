package server

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/server/session"
)

const testSecret = "a secret that is long enough for HS256"

// startWithAuth is start with the authenticator that the router uses.
func startWithAuth(t testing.TB, cfg Config, authConfig auth.Config, mount http.Handler) *world {
	t.Helper()
	if err := authConfig.Validate(); err != nil {
		t.Fatal(err)
	}
	return startWith(t, cfg, func(w *world, o Options) (session.Authenticator, Options) {
		authenticator, err := auth.New(authConfig, o.Log, o.Registerer)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { authenticator.Run(ctx) })
		t.Cleanup(func() { cancel(); running.Wait() })
		o.Ticket, o.Mount = authenticator.TicketHandler(w.hub.Position), mount
		return authenticator, o
	})
}

// claimsOf is what ann of project p1 may claim.
func claimsOf(life time.Duration) jwt.MapClaims {
	return jwt.MapClaims{"sub": "ann", "project_id": "p1", "roles": []string{"member"}, "exp": time.Now().Add(life).Unix()}
}

func signed(t testing.TB, claims jwt.MapClaims, method jwt.SigningMethod, key any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forged is a token of any header, signed by HMAC-SHA-256 with any key, or not at
// all without one.
func forged(t testing.TB, header map[string]any, key []byte) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(header) + "." + part(claimsOf(time.Hour))
	if key == nil {
		return text + "."
	}
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, text)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ending is how a server ends a connection, over any transport, and all that it
// has said before.
type ending struct {
	said   string
	code   uint16
	reason string
}

// tryToken connects with a token over a transport, and tells how that ended. The
// code is 0 if the client was let in.
func tryToken(t testing.TB, w *world, transport, token string, origin string) (e ending) {
	t.Helper()
	text, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	connect := fmt.Sprintf(`{"id":1,"connect":{"token":%s}}`, text)
	if transport == "websocket" {
		return tryWebsocket(t, w, connect)
	}
	request := clienttest.StreamRequest(t, "http://"+w.address(), transport, connect)
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	own := &http.Transport{DisableKeepAlives: true}
	defer own.CloseIdleConnections()
	answer, err := own.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return ending{said: answer.Status, code: 1}
	}
	for lines := json.NewDecoder(&eventData{r: answer.Body}); ; {
		var m clienttest.Message
		if err := lines.Decode(&m); err != nil {
			t.Fatalf("%s: %v after %q", transport, err, e.said)
		}
		switch {
		case m.Push != nil && m.Push.Disconnect != nil:
			e.code, e.reason = m.Push.Disconnect.Code, m.Push.Disconnect.Reason
			return e
		case m.Connect != nil:
			return e
		}
		e.said += fmt.Sprintf("%+v", m)
	}
}

// eventData leaves what comes before the data out of server-sent events, so that
// both fallbacks read alike.
type eventData struct{ r io.Reader }

func (d *eventData) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	text := strings.ReplaceAll(string(p[:n]), "data: ", "")
	return copy(p, text), err
}

func tryWebsocket(t testing.TB, w *world, connect string) (e ending) {
	t.Helper()
	c := clienttest.DialTCP(t, w.address())
	defer c.Conn.Close()
	c.Say(connect)
	for {
		line, err := c.Next()
		if closed, ok := err.(*clienttest.Closed); ok {
			e.code, e.reason = closed.Code, closed.Reason
			return e
		}
		if err != nil {
			t.Fatal(err)
		}
		if m := clienttest.Parse(t, line); m.Connect != nil {
			return e
		}
		e.said += string(line)
	}
}

// TestHostileTokens connects with tokens that are not what they seem. Whoever
// tries is told that the token is invalid, and nothing of why.
func TestHostileTokens(t *testing.T) {
	shared := auth.DefaultConfig()
	shared.JWT.HMACSecret = testSecret
	public, publicPEM := shared, rsaPublicKey(t)
	public.JWT.HMACSecret, public.JWT.PublicKeyFile = "", filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(public.JWT.PublicKeyFile, publicPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	secret := []byte(testSecret)
	good := signed(t, claimsOf(time.Hour), jwt.SigningMethodHS256, secret)
	parts := strings.Split(good, ".")
	other := strings.Split(signed(t, jwt.MapClaims{"sub": "root", "project_id": "p2", "roles": []string{"admin"},
		"exp": time.Now().Add(time.Hour).Unix()}, jwt.SigningMethodHS256, []byte("another secret, of the attacker's own")), ".")
	early := claimsOf(2 * time.Hour)
	early["nbf"] = time.Now().Add(time.Hour).Unix()
	endless := claimsOf(time.Hour)
	delete(endless, "exp")
	nobody := claimsOf(time.Hour)
	nobody["sub"] = ""
	hs := func(more ...any) map[string]any {
		header := map[string]any{"alg": "HS256", "typ": "JWT"}
		for i := 0; i < len(more); i += 2 {
			header[more[i].(string)] = more[i+1]
		}
		return header
	}
	sharedKey := startWithAuth(t, testConfig(), shared, nil)
	publicKey := startWithAuth(t, testConfig(), public, nil)
	for _, transport := range []string{"websocket", "http_stream", "sse"} {
		if e := tryToken(t, sharedKey, transport, good, ""); e != (ending{}) {
			t.Fatalf("%s: a good token: %+v", transport, e)
		}
	}
	for name, c := range map[string]struct {
		w     *world
		token string
	}{
		"alg none":                      {sharedKey, forged(t, hs("alg", "none"), nil)},
		"alg None":                      {sharedKey, forged(t, hs("alg", "None"), nil)},
		"alg NONE":                      {sharedKey, forged(t, hs("alg", "NONE"), nil)},
		"alg none with a signature":     {sharedKey, forged(t, hs("alg", "none"), secret)},
		"alg none of a good token":      {sharedKey, base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2]},
		"alg none and HS256":            {sharedKey, base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","alg":"none"}`)) + "." + parts[1] + "."},
		"alg empty":                     {sharedKey, forged(t, hs("alg", ""), nil)},
		"alg a number":                  {sharedKey, forged(t, hs("alg", 0), nil)},
		"alg missing":                   {sharedKey, forged(t, map[string]any{"typ": "JWT"}, nil)},
		"alg none where keys are RSA":   {publicKey, forged(t, hs("alg", "none"), nil)},
		"the public key as secret":      {publicKey, forged(t, hs(), publicPEM)},
		"the public key, no line break": {publicKey, forged(t, hs(), []byte(strings.TrimSpace(string(publicPEM))))},
		"HMAC where keys are RSA":       {publicKey, good},
		"RS256 over an HMAC":            {sharedKey, forged(t, hs("alg", "RS256"), secret)},
		"an empty key":                  {sharedKey, forged(t, hs(), []byte{})},
		"another key":                   {sharedKey, strings.Join(other, ".")},
		"kid of a file":                 {sharedKey, forged(t, hs("kid", "../../../../../../dev/null"), []byte{})},
		"kid of a query":                {sharedKey, forged(t, hs("kid", "x' UNION SELECT 'y"), []byte("y"))},
		"its own key in jwk":            {sharedKey, forged(t, hs("jwk", map[string]string{"kty": "oct", "k": "YQ"}), []byte("a"))},
		"its own key behind jku":        {sharedKey, forged(t, hs("jku", "http://127.0.0.1:1/keys"), []byte("a"))},
		"a critical extension":          {sharedKey, forged(t, hs("crit", []string{"b64"}, "b64", false), []byte("a"))},
		"others' claims":                {sharedKey, parts[0] + "." + other[1] + "." + parts[2]},
		"no signature":                  {sharedKey, parts[0] + "." + parts[1] + "."},
		"two parts":                     {sharedKey, parts[0] + "." + parts[1]},
		"four parts":                    {sharedKey, good + "." + parts[2]},
		"half a signature":              {sharedKey, good[:len(good)-20]},
		"a line break":                  {sharedKey, good + "\n"},
		"a blank in front":              {sharedKey, " " + good},
		"a NUL behind":                  {sharedKey, good + "\x00"},
		"padding":                       {sharedKey, good + "="},
		"not yet":                       {sharedKey, signed(t, early, jwt.SigningMethodHS256, secret)},
		"for ever":                      {sharedKey, signed(t, endless, jwt.SigningMethodHS256, secret)},
		"nobody's":                      {sharedKey, signed(t, nobody, jwt.SigningMethodHS256, secret)},
		"none":                          {sharedKey, ""},
		"long":                          {sharedKey, strings.Repeat("a.", 25<<10)},
		"a ticket that never was":       {sharedKey, "hrt_" + strings.Repeat("A", 43)},
		"a ticket's beginning":          {sharedKey, "hrt_"},
	} {
		for _, transport := range []string{"websocket", "http_stream", "sse"} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				if e := tryToken(t, c.w, transport, c.token, ""); e != (ending{"", 3500, "invalid token"}) {
					t.Errorf("%+v", e)
				}
			})
		}
	}
	for _, w := range []*world{sharedKey, publicKey} {
		w.nobodyIsLeft(t)
	}
}

func rsaPublicKey(t testing.TB) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// TestReplayedTickets uses tickets twice, at the same time as well, and from
// another origin.
func TestReplayedTickets(t *testing.T) {
	const origin = "https://horizon.example.org"
	authConfig := auth.DefaultConfig()
	authConfig.JWT.HMACSecret = testSecret
	authConfig.Ticket.MaxPerUser = 100
	cfg := testConfig()
	cfg.AllowedOrigins = []string{origin, "https://other.example.org"}
	w := startWithAuth(t, cfg, authConfig, nil)
	token := signed(t, claimsOf(time.Hour), jwt.SigningMethodHS256, []byte(testSecret))
	invalid := ending{"", 3500, "invalid token"}
	for _, transport := range []string{"http_stream", "sse"} {
		ticket := askTicket(t, w, token, origin)
		if e := tryToken(t, w, transport, ticket, origin); e != (ending{}) {
			t.Errorf("%s: %+v", transport, e)
		}
		for _, again := range []string{"http_stream", "sse", "websocket"} {
			if e := tryToken(t, w, again, ticket, origin); e != invalid {
				t.Errorf("%s, then %s: %+v", transport, again, e)
			}
		}
		for _, from := range []string{"", "https://other.example.org"} {
			ticket := askTicket(t, w, token, origin)
			if e := tryToken(t, w, transport, ticket, from); e != invalid {
				t.Errorf("%s from %q: %+v", transport, from, e)
			}
			if e := tryToken(t, w, transport, ticket, origin); e != invalid {
				t.Errorf("%s, after %q had tried it: %+v", transport, from, e)
			}
		}
	}
	for range 20 {
		ticket := askTicket(t, w, token, "")
		var let [8]ending
		var all sync.WaitGroup
		for i := range let {
			all.Go(func() { let[i] = tryToken(t, w, "websocket", ticket, "") })
		}
		all.Wait()
		in := 0
		for _, e := range let {
			switch e {
			case ending{}:
				in++
			case invalid:
			default:
				t.Errorf("at the same time: %+v", e)
			}
		}
		if in != 1 {
			t.Fatalf("a ticket let %d in", in)
		}
	}
}

func askTicket(t testing.TB, w *world, token, origin string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"origin": origin})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", "http://"+w.address()+"/realtime/ticket", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	own := &http.Transport{DisableKeepAlives: true}
	answer, err := own.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var a struct{ Ticket string }
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil || a.Ticket == "" {
		t.Fatalf("%s %v", answer.Status, err)
	}
	return a.Ticket
}
