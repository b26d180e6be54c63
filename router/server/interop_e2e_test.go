//go:build e2e

package server

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/auth"
)

// TestOfficialClients runs what is in interop/: official clients, as they are
// published, that talk to this server with real tokens. Each has a server of its
// own.
func TestOfficialClients(t *testing.T) {
	t.Run("JavaScript", func(t *testing.T) {
		runToItsEnd(t, "interop", nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
		t.Run("Node", func(t *testing.T) {
			withServer(t, "interop", "node", "--test", "--test-reporter=spec", "node.test.mjs")
		})
		t.Run("Chromium", func(t *testing.T) {
			withServer(t, "interop", "node", "--test", "--test-reporter=spec", "chromium.test.mjs")
		})
	})
	t.Run("Go", func(t *testing.T) { withServer(t, "interop/goclient", "go", "test", "-count=1", "-v", ".") })
}

// withServer starts a server, and runs a command beside it.
func withServer(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	w := startWithTokens(t)
	w.beside(t, w.control(t), dir, name, args...)
}

// interop runs a file of interop/ in Node, which controls the server with what
// handler answers.
func (w *world) interop(t *testing.T, file string, handler http.Handler) {
	t.Helper()
	runToItsEnd(t, "interop", nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	w.beside(t, handler, "interop", "node", "--test", "--test-reporter=spec", file)
}

// beside runs a command that finds the server, and what controls it, by its
// environment.
func (w *world) beside(t *testing.T, handler http.Handler, dir, name string, args ...string) {
	t.Helper()
	control := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Access-Control-Allow-Origin", "*") // the page comes from the server's origin
		handler.ServeHTTP(rw, r)
	}))
	defer control.Close()
	runToItsEnd(t, dir, []string{"SERVER=" + w.address(), "CONTROL=" + control.URL}, name, args...)
}

// runToItsEnd runs a program to its end, which has to be a good one.
func runToItsEnd(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%s %v: %v", name, args, err)
	}
}

// startWithTokens is start with the authenticator that the router uses, pings that
// come soon, and the page for browsers.
func startWithTokens(t *testing.T) *world { return startTokensWith(t, testConfig()) }

func startTokensWith(t *testing.T, cfg Config) *world {
	t.Helper()
	cfg.Ping, cfg.PongTimeout = 2*time.Second, time.Second
	authConfig := auth.DefaultConfig()
	authConfig.JWT.HMACSecret, authConfig.JWT.Leeway = testSecret, 0
	page := http.StripPrefix("/interop/", http.FileServer(http.Dir("interop")))
	return startWithAuth(t, cfg, authConfig, page)
}

// control lets the clients' tests do what happens on the server's side.
func (w *world) control(t *testing.T) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish", func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		w.publish(t, r.URL.Query().Get("channel"), string(data))
	})
	mux.HandleFunc("GET /token", func(rw http.ResponseWriter, r *http.Request) {
		life, err := time.ParseDuration(r.URL.Query().Get("life"))
		if err != nil {
			t.Error(err)
		}
		user := r.URL.Query().Get("user")
		project := cmp.Or(r.URL.Query().Get("project"), "p1")
		claims := jwt.MapClaims{"sub": user, "project_id": project, "roles": []string{"member"}, "exp": time.Now().Add(life).Unix()}
		if channels := r.URL.Query().Get("channels"); channels != "" {
			claims["channels"] = strings.Fields(channels)
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(testSecret))
		if err != nil {
			t.Error(err)
		}
		io.WriteString(rw, token)
	})
	mux.HandleFunc("GET /position", func(rw http.ResponseWriter, _ *http.Request) {
		epoch, offset := w.hub.Position()
		fmt.Fprintf(rw, `{"epoch":%q,"offset":%d}`, epoch, offset)
	})
	mux.HandleFunc("GET /ping", func(rw http.ResponseWriter, r *http.Request) {
		for _, s := range w.of(r) { // when the next ping is due
			s.mu.Lock()
			fmt.Fprint(rw, s.pingAt.UnixMilli())
			s.mu.Unlock()
		}
	})
	mux.HandleFunc("POST /cut", func(_ http.ResponseWriter, r *http.Request) {
		for _, s := range w.of(r) { // as if the network broke
			if c, ok := s.transport.(*websocket); ok {
				c.out.Close()
			} else {
				s.transport.(*stream).control.SetWriteDeadline(time.Unix(1, 0))
				s.transport.(*stream).finish()
				s.transport.(*stream).signal()
			}
		}
	})
	mux.HandleFunc("POST /disconnect", func(_ http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.URL.Query().Get("code"))
		if err != nil {
			t.Error(err)
		}
		for _, s := range w.of(r) {
			s.close(disconnect{uint16(code), "by the test"})
		}
	})
	return mux
}

// of gives the sessions of the user that a request names.
func (w *world) of(r *http.Request) (list []*session) {
	for _, s := range w.all() {
		s.mu.Lock()
		if s.identity != nil && s.identity.User == r.URL.Query().Get("user") {
			list = append(list, s)
		}
		s.mu.Unlock()
	}
	return list
}
