//go:build e2e

package server

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/wire"
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
	w := startWithTokens(t, testConfig())
	w.beside(t, w.control(t), dir, name, args...)
}

// interop runs a file of interop/ in Node, which controls the server with what
// handler answers.
func (w official) interop(t *testing.T, file string, handler http.Handler) {
	t.Helper()
	runToItsEnd(t, "interop", nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	w.beside(t, handler, "interop", "node", "--test", "--test-reporter=spec", file)
}

// beside runs a command that finds the server, and what controls it, by its
// environment.
func (w official) beside(t *testing.T, handler http.Handler, dir, name string, args ...string) {
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

// people is who has connected from which address, and the connections: how the
// tests find the session of a user. It stands between the server and the
// authenticator that the router uses.
type people struct {
	session.Authenticator

	mu      sync.Mutex
	sockets map[string]net.Conn // by remote address
	users   map[string][]string // remote addresses
}

func (p *people) Authenticate(ctx context.Context, r *http.Request, token string) (*auth.Identity, error) {
	id, err := p.Authenticator.Authenticate(ctx, r, token)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.users[id.User] = append(p.users[id.User], r.RemoteAddr)
	}
	return id, err
}

// listening is a listener that keeps what it accepts.
type listening struct {
	net.Listener
	people *people
}

func (l listening) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.people.mu.Lock()
		defer l.people.mu.Unlock()
		l.people.sockets[conn.RemoteAddr().String()] = conn
	}
	return conn, err
}

// cut breaks a user's connections, as if the network did.
func (p *people) cut(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, address := range p.users[user] {
		if conn := p.sockets[address]; conn != nil {
			conn.Close()
			delete(p.sockets, address)
		}
	}
	delete(p.users, user)
}

// official is a world for official clients.
type official struct {
	*world
	people *people
}

// startWithTokens is start with the authenticator that the router uses, pings that
// come soon, and the page for browsers.
func startWithTokens(t *testing.T, cfg Config) official {
	t.Helper()
	cfg.Ping, cfg.PongTimeout = 2*time.Second, time.Second
	authConfig := auth.DefaultConfig()
	authConfig.JWT.HMACSecret, authConfig.JWT.Leeway = testSecret, 0
	p := &people{sockets: map[string]net.Conn{}, users: map[string][]string{}}
	w := makeWorld(t, cfg, func(_ *world, o Options) (session.Authenticator, Options) {
		authenticator, err := auth.New(authConfig, o.Log, o.Registerer)
		if err != nil {
			t.Fatal(err)
		}
		p.Authenticator = authenticator
		o.Mount = http.StripPrefix("/interop/", http.FileServer(http.Dir("interop")))
		return p, o
	})
	w.listener = listening{w.listener, p}
	w.run(t)
	return official{w, p}
}

// control lets the clients' tests do what happens on the server's side.
func (w official) control(t *testing.T) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish", func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		w.hub.Say(t, r.URL.Query().Get("channel"), string(data))
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
	mux.HandleFunc("GET /pongs", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, w.commands(t, "pong"))
	})
	mux.HandleFunc("POST /cut", func(_ http.ResponseWriter, r *http.Request) { w.people.cut(r.URL.Query().Get("user")) })
	mux.HandleFunc("POST /disconnect", func(_ http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.URL.Query().Get("code"))
		if err != nil {
			t.Error(err)
		}
		for _, s := range w.sessions.All() {
			if s.User() == r.URL.Query().Get("user") {
				s.Close(wire.Disconnect{Code: uint16(code), Reason: "by the test"})
			}
		}
	})
	return mux
}

// commands is how many commands of a method the server has been sent.
func (w *world) commands(t *testing.T, method string) (n float64) {
	families, err := w.hub.Registry.Gather()
	if err != nil {
		t.Error(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "horizon_realtime_server_commands_total" && m.GetLabel()[0].GetValue() == method {
				n = m.GetCounter().GetValue()
			}
		}
	}
	return n
}
