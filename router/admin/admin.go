// Package admin serves the people who operate the router, on its own listener,
// which is not for the cloud's users (access.go decides who may do what): health, readiness, metrics, profiles, the
// plugins' status, and, if [admin] taps permits it, every notification as plugins
// receive it (tap.go).
//
// In: readiness checks, a metrics gatherer and the plugin host's status. Out: HTTP on
// [admin] listen. Caller: router.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Config is the table [admin].
type Config struct {
	// Listen is the address of the operator's endpoints. It is a loopback address
	// unless there is a token, or Insecure.
	Listen string `toml:"listen"`
	// TokenFile holds the token that opens everything, and ReadTokenFile one that
	// opens what only reads. If either is set, probes are all that needs none.
	TokenFile     string `toml:"token_file"`
	ReadTokenFile string `toml:"read_token_file"`
	// Insecure permits an address that others reach without a token.
	Insecure bool `toml:"insecure"`
	// Taps is how many programs may read all projects' notifications at the same
	// time; see Tap.
	Taps int `toml:"taps"`
}

// DefaultConfig listens on loopback, without taps.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:9090"} }

// Validate checks the table.
func (c Config) Validate() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf(`[admin] listen = %q: host:port is wanted, such as "127.0.0.1:9090"`, c.Listen)
	}
	if c.TokenFile == "" && c.ReadTokenFile == "" && !c.Insecure && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("[admin] listen = %q: whoever reaches it could read and change everything; set token_file (openssl rand -hex 32 makes a token), "+
			"listen on a loopback address such as 127.0.0.1:9090, or set insecure = true if something else decides who reaches it", c.Listen)
	}
	if c.Taps < 0 {
		return fmt.Errorf("[admin] taps = %d: a number of clients is wanted, 0 for none", c.Taps)
	}
	return nil
}

const (
	// maxConnections bounds the connections at one time; further ones wait.
	maxConnections = 256
	// requestTime bounds how long a request may take to arrive, and answerTime how
	// long its answer may take; profiles and taps have their own bounds.
	requestTime = 10 * time.Second
	answerTime  = 30 * time.Second
)

// Check is a condition of the router's readiness. Ready returns what is missing, or
// nil.
type Check struct {
	Name  string
	Ready func() error
}

// Plugins is what the endpoints under /api/plugins need of the plugin host.
type Plugins struct {
	// Status is marshalled as JSON for GET /api/plugins.
	Status func() any
	// Release lifts a quarantine for POST /api/plugins/{name}/release.
	Release func(name string) error
}

// Server is the admin listener. Its methods may be called concurrently.
type Server struct {
	cfg    Config
	log    *slog.Logger
	guard  *guard
	checks []Check
	mux    *http.ServeMux
	ln     net.Listener

	requestTime time.Duration // how long a request may take to arrive
}

// New opens the listener, so that a port in use shows at the start.
//
// # Errors
//
// The address cannot be listened on, or a token cannot be read.
func New(cfg Config, reg *prometheus.Registry, plugins Plugins, log *slog.Logger) (*Server, error) {
	guard, err := newGuard(cfg, reg, log)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("[admin] listen = %q: %w; free the address, or set another", cfg.Listen, err)
	}
	s := &Server{cfg: cfg, log: log, guard: guard, mux: http.NewServeMux(), requestTime: requestTime, ln: netutil.LimitListener(ln, maxConnections)}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /healthcheck", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	s.mux.HandleFunc("GET /api/plugins", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, plugins.Status()) })
	s.mux.HandleFunc("POST /api/plugins/{name}/release", func(w http.ResponseWriter, r *http.Request) {
		if err := plugins.Release(r.PathValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	s.mux.HandleFunc("/debug/pprof/", pprof.Index)
	s.mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	s.mux.HandleFunc("/debug/pprof/profile", unbounded(pprof.Profile))
	s.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	s.mux.HandleFunc("/debug/pprof/trace", unbounded(pprof.Trace))
	s.mux.HandleFunc("GET /console/", s.console)
	s.mux.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusFound))
	if host, _ := ln.Addr().(*net.TCPAddr); guard.open() && host != nil && !host.IP.IsLoopback() {
		log.Warn("everybody who reaches the admin listener may do everything: [admin] insecure is set, and token_file is not", "listen", cfg.Listen)
	}
	return s, nil
}

// Require adds readiness checks. Call it before Run.
func (s *Server) Require(checks ...Check) { s.checks = append(s.checks, checks...) }

// Handle serves another pattern of http.ServeMux. Call it before Run.
func (s *Server) Handle(pattern string, handler http.Handler) { s.mux.Handle(pattern, handler) }

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Run serves until ctx is done, and returns when the server has stopped.
//
// # Errors
//
// The listener failed; a stop by ctx is no error.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:        s.guard.handler(bounded(s.mux)),
		ReadTimeout:    s.requestTime,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin endpoints: %w", err)
	}
	return nil
}

// Close frees the port if Run is never called.
func (s *Server) Close() error { return s.ln.Close() }

// ready answers 200 `ready`, or 503 with a line per check that fails. Who may not
// read is told only that one fails.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	var missing []error
	for _, check := range s.checks {
		if err := check.Ready(); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", check.Name, err))
		}
	}
	if err := errors.Join(missing...); err != nil {
		if s.guard.rightOf(r) < reading {
			err = errors.New("not ready")
		}
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// bounded limits how long an answer may take to be written. It is not the server's
// WriteTimeout, which profiles refuse to exceed.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// An error means that the connection is gone, which the handler notices.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
		next.ServeHTTP(w, r)
	})
}

// unbounded is for handlers that last as long as their caller asks. They need the
// token that may act.
func unbounded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		// The read deadline would end them, too: a connection that fails to be read is a
		// client that has gone.
		_, _ = out.SetReadDeadline(time.Time{}), out.SetWriteDeadline(time.Time{})
		next(w, r)
	}
}
