package admin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/regular"
)

// right is what a request may do. A higher one includes those below it.
type right uint8

const (
	nothing right = iota // probes: /healthz, and /readyz without reasons
	reading              // metrics, status, the console
	acting               // whatever changes something, costs much or shows tenants' data
)

const (
	minTokenBytes = 16
	maxTokenBytes = 4096
)

// rightFor is the right that a request needs.
func rightFor(r *http.Request) right {
	path := r.URL.Path
	switch {
	case path == "/healthz" || path == "/readyz" || path == "/healthcheck":
		return nothing
	case r.Method != http.MethodGet && r.Method != http.MethodHead,
		strings.HasPrefix(path, "/debug/"), path == tapPath:
		return acting
	default:
		return reading
	}
}

// token is the secret in a file. It is read again when the file changes.
type token struct {
	key, path string // key is the setting that names the file
	log       *slog.Logger

	mu      sync.Mutex
	digest  [sha256.Size]byte
	size    int64
	changed time.Time
}

// openToken reads a token. Without a path there is none, and nil is returned.
//
// # Errors
//
// The file cannot be read, is no regular file, or holds something other than one
// word of 16 to 4096 bytes.
func openToken(key, path string, log *slog.Logger) (*token, error) {
	if path == "" {
		return nil, nil
	}
	t := &token{key: key, path: path, log: log}
	return t, t.read()
}

// is reports whether a word is the token. How long it takes says nothing about the
// token. If the file, once changed, cannot be used, the token before stays.
func (t *token) is(word string) bool {
	if t == nil || word == "" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if info, err := os.Stat(t.path); err == nil && (info.Size() != t.size || !info.ModTime().Equal(t.changed)) {
		if err := t.read(); err != nil {
			t.log.Error("the changed token cannot be used; the one before stays in use", "error", err)
		}
	}
	digest := sha256.Sum256([]byte(word))
	return subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1
}

func (t *token) read() error {
	if info, err := os.Stat(t.path); err == nil {
		t.size, t.changed = info.Size(), info.ModTime()
	}
	text, err := readToken(t.path)
	if err != nil {
		return fmt.Errorf("[admin] %s = %q: %w; one random word is wanted, such as the output of openssl rand -hex 32", t.key, t.path, err)
	}
	t.digest = sha256.Sum256(text)
	return nil
}

func readToken(path string) ([]byte, error) {
	text, err := regular.Read(path, regular.Most)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) < minTokenBytes || len(text) > maxTokenBytes:
		return nil, fmt.Errorf("it has %d bytes, of %d to %d", len(text), minTokenBytes, maxTokenBytes)
	case bytes.ContainsAny(text, " \t\r\n"):
		return nil, errors.New("it has more than one word")
	}
	return text, nil
}

// guard decides about each request before anything else sees it.
type guard struct {
	act, read *token // nil: nobody has that right by a token
	refused   *prometheus.CounterVec
	origin    *http.CrossOriginProtection
}

func newGuard(cfg Config, reg prometheus.Registerer, log *slog.Logger) (*guard, error) {
	g := &guard{origin: http.NewCrossOriginProtection(), refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_admin_refused_total",
		Help: "Requests to the admin listener that were refused. reason: token (none, or a wrong one), right (a token that may only read), site (sent by another site's page), host (by a name that is not this listener's).",
	}, []string{"reason"})}
	for _, reason := range []string{"token", "right", "site", "host"} {
		g.refused.WithLabelValues(reason)
	}
	var err error
	if g.act, err = openToken("token_file", cfg.TokenFile, log); err != nil {
		return nil, err
	}
	if g.read, err = openToken("read_token_file", cfg.ReadTokenFile, log); err != nil {
		return nil, err
	}
	return g, reg.Register(g.refused)
}

// open reports whether everybody who reaches the listener may do everything.
func (g *guard) open() bool { return g.act == nil && g.read == nil }

// rightOf is the right that a request's credentials give. Browsers cannot send a
// bearer token by themselves: they ask for a password, which is the token.
func (g *guard) rightOf(r *http.Request) right {
	if g.open() {
		return acting
	}
	word, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		_, word, _ = r.BasicAuth()
	}
	switch {
	case g.act.is(word):
		return acting
	case g.read.is(word):
		return reading
	default:
		return nothing
	}
}

func (g *guard) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !addressed(r) {
			g.refuse(w, http.StatusForbidden, "host", "this listener answers to localhost and to addresses only")
			return
		}
		if g.origin.Check(r) != nil || !sameSite(r) {
			g.refuse(w, http.StatusForbidden, "site", "another site's page sent this request")
			return
		}
		needed, has := rightFor(r), g.rightOf(r)
		switch {
		case has >= needed:
			next.ServeHTTP(w, r)
		case has == reading && g.act != nil:
			g.refuse(w, http.StatusForbidden, "right", "this token may only read; that needs the one in [admin] token_file")
		case has == reading:
			g.refuse(w, http.StatusForbidden, "right", "this token may only read; that needs [admin] token_file, which is not set")
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="horizon-realtime"`)
			w.Header().Add("WWW-Authenticate", `Basic realm="horizon-realtime", charset="UTF-8"`)
			g.refuse(w, http.StatusUnauthorized, "token", "send the token of [admin] token_file as Authorization: Bearer, or as the password to a browser")
		}
	})
}

func (g *guard) refuse(w http.ResponseWriter, status int, reason, text string) {
	g.refused.WithLabelValues(reason).Inc()
	http.Error(w, text, status)
}

// addressed reports whether a request to a loopback address came by that address or
// as localhost. Any other name is one that somebody else's DNS pointed here, so that
// a browser takes this listener for that somebody's site.
func addressed(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return local == nil || !local.IP.IsLoopback() || host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// sameSite reports whether a request was sent by this listener's own pages, or by
// somebody who is no page of another site. An image of another site's page would
// otherwise start a profile. A link to the console may be followed from anywhere.
func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin": // "same-site" is any other port of this host
		return true
	}
	page := r.URL.Path == "/" || r.URL.Path == "/console/"
	return page && r.Method == http.MethodGet &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}
