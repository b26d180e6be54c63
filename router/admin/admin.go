// Package admin serves the people who operate the router, on its own listener,
// which is not for the cloud's users: health, readiness, metrics, profiles, the
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
)

// Config is the table [admin].
type Config struct {
	// Listen is the address of the operator's endpoints. They ask nobody who they are,
	// so it is a loopback address unless something in front decides who may ask.
	Listen string `toml:"listen"`
	// Taps is how many programs may read all projects' notifications at the same
	// time; see Tap.
	Taps int `toml:"taps"`
}

// DefaultConfig listens on loopback, without taps.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:9090"} }

// Validate checks the table.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf(`[admin] listen = %q: host:port is wanted, such as "127.0.0.1:9090"`, c.Listen)
	}
	if c.Taps < 0 {
		return fmt.Errorf("[admin] taps = %d: a number of clients is wanted, 0 for none", c.Taps)
	}
	return nil
}

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
	checks []Check
	mux    *http.ServeMux
	ln     net.Listener
}

// New opens the listener, so that a port in use shows at the start.
//
// # Errors
//
// The address cannot be listened on.
func New(cfg Config, gatherer prometheus.Gatherer, plugins Plugins, log *slog.Logger) (*Server, error) {
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("[admin] listen = %q: %w; free the address, or set another", cfg.Listen, err)
	}
	s := &Server{cfg: cfg, log: log, mux: http.NewServeMux(), ln: ln}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
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
	s.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	s.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	s.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s.mux.HandleFunc("GET /console/", s.console)
	s.mux.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusFound))
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
		Handler:           sameSite(s.mux),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
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

// ready answers 200 `ready`, or 503 with a line per check that fails.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	var missing []error
	for _, check := range s.checks {
		if err := check.Ready(); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", check.Name, err))
		}
	}
	if err := errors.Join(missing...); err != nil {
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

// sameSite refuses what another site's page makes an operator's browser send:
// requests that change something, and any request by a name that is not an address
// (DNS rebinding).
func sameSite(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if local != nil && local.IP.IsLoopback() && host != "localhost" && net.ParseIP(host) == nil {
			http.Error(w, "this listener answers to localhost and to addresses only", http.StatusForbidden)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	}))
}
