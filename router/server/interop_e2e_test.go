//go:build e2e

package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
)

const interopSecret = "a secret that is long enough for HS256"

// TestOfficialJavaScriptClient runs interop/interop.test.mjs, where the official
// client talks to this server, over each transport and with real tokens.
func TestOfficialJavaScriptClient(t *testing.T) {
	w := startWithTokens(t)
	w.interop(t, "interop.test.mjs", w.control(t))
}

// interop runs a file of interop/, which controls the server with what handler
// answers.
func (w *world) interop(t *testing.T, file string, handler http.Handler) {
	t.Helper()
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = "interop"
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	control := httptest.NewServer(handler)
	defer control.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", file)
	node.Dir = "interop"
	node.Env = append(os.Environ(), "SERVER="+w.address(), "CONTROL="+control.URL)
	out, err := node.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// startWithTokens is start with the authenticator that the router uses.
func startWithTokens(t *testing.T) *world {
	t.Helper()
	cfg := testConfig()
	cfg.Ping, cfg.PongTimeout = 2*time.Second, time.Second
	return startTokensWith(t, cfg)
}

func startTokensWith(t *testing.T, cfg Config) *world {
	t.Helper()
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	authConfig := auth.DefaultConfig()
	authConfig.JWT.HMACSecret, authConfig.JWT.Leeway = interopSecret, 0
	authenticator, err := auth.New(context.Background(), authConfig, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{hub: hub.New(hub.DefaultConfig(), log, reg)}
	ticket := authenticator.TicketHandler(w.hub.Position)
	if w.Server, err = New(cfg, w.hub, authenticator, Options{Log: log, Registerer: reg, Ticket: ticket}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { w.hub.Run(ctx) })
	parts.Go(func() { w.Server.Run(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	return w
}

// control lets the test in JavaScript do what happens on the server's side.
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
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"sub": r.URL.Query().Get("user"), "project_id": "p1", "roles": []string{"member"}, "exp": time.Now().Add(life).Unix(),
		}).SignedString([]byte(interopSecret))
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
		time.Sleep(20 * time.Millisecond) // the client asks again and again
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
