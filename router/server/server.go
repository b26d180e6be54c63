package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/lxzan/gws"
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
)

// Authenticator tells who a client is. *auth.Authenticator is one.
type Authenticator interface {
	// Authenticate tells who sent r with this token.
	//
	// # Errors
	//
	// One that wraps auth.ErrUnauthorized, auth.ErrExpired or
	// auth.ErrUnavailable.
	Authenticate(ctx context.Context, r *http.Request, token string) (*auth.Identity, error)
	// Revalidate judges a connected client's identity again.
	//
	// # Errors
	//
	// As Authenticate's; auth.ErrUnavailable leaves the client as it is.
	Revalidate(ctx context.Context, id *auth.Identity) (*auth.Identity, error)
}

// Options are what New needs besides the things it serves.
type Options struct {
	// Mount serves what lies outside of [server] prefix; nil: nothing does.
	Mount http.Handler
	// Ticket serves …/ticket; nil: nothing does.
	Ticket     http.Handler
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Server is the client endpoints and the sessions of those connected. Its
// methods may be called concurrently.
type Server struct {
	*metrics
	cfg      Config
	hub      *hub.Hub
	auth     Authenticator
	log      *slog.Logger
	node     string // names this process to clients of /emulation
	origins  origins
	limits   *limits
	rules    rules
	lossy    bool     // whether any of the rules drops publications
	history  patterns // channels whose history may be asked for
	presence patterns // likewise who hears them
	wheel    *wheel
	upgrader *gws.Upgrader
	handler  http.Handler
	listener net.Listener
	tls      *tls.Config
	checks   chan *session

	base context.Context // ends with Run
	stop context.CancelFunc
	work sync.WaitGroup // every goroutine of a connection

	mu       sync.Mutex
	sessions map[string]*session
	streams  map[string]*session // those with commands of their own requests, by their secrets
	admitted int                 // sessions, and those about to be
	arriving allowance
	draining bool
	empty    chan struct{} // closed when a draining server has no session left
}

// New makes a server and opens its listener, so that a port in use is found out
// at the start.
//
// # Errors
//
// The address cannot be listened on, or the certificate not be used.
func New(cfg Config, h *hub.Hub, authenticator Authenticator, o Options) (*Server, error) {
	s := &Server{
		metrics:  newMetrics(o.Registerer),
		cfg:      cfg,
		hub:      h,
		auth:     authenticator,
		log:      o.Log,
		node:     newID(),
		rules:    newRules(cfg),
		history:  newPatterns(cfg.HistoryChannels),
		presence: newPatterns(cfg.PresenceChannels),
		wheel:    newWheel(),
		upgrader: newUpgrader(cfg, o.Log),
		checks:   make(chan *session, checkQueue),
		sessions: map[string]*session{},
		streams:  map[string]*session{},
		empty:    make(chan struct{}),
		arriving: allowance{left: float64(arrivals * cfg.ConnectsPerSecond), at: time.Now()},
	}
	s.lossy = s.rules.lossy()
	var err error
	if s.origins, err = newOrigins(cfg.AllowedOrigins); err != nil {
		return nil, err
	}
	if s.limits, err = newLimits(cfg); err != nil {
		return nil, err
	}
	if s.tls, err = cfg.tls(); err != nil {
		return nil, err
	}
	s.base, s.stop = context.WithCancel(context.Background())
	s.handler = s.routes(o)
	if err := s.listen(); err != nil {
		return nil, err
	}
	return s, nil
}

func newID() string { return rand.Text() }

func (s *Server) listen() error {
	ln, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("[server] listen = %q: %w; free the address, or set another", s.cfg.Listen, err)
	}
	s.listener = &listener{
		Listener: ln,
		limit:    int64(s.cfg.MaxConnections) + handshakes,
		outbox:   s.cfg.OutboxBytes,
		flushers: &s.work,
		refused:  s.refusals.WithLabelValues("sockets"),
	}
	return nil
}

func (s *Server) routes(o Options) http.Handler {
	mux := http.NewServeMux()
	page := func(method, path string, h http.HandlerFunc) {
		mux.HandleFunc(method+" "+s.cfg.Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			if s.origins.check(w, r) {
				h(w, r)
			}
		})
		mux.HandleFunc("OPTIONS "+s.cfg.Prefix+path, s.origins.preflight)
	}
	page("GET", "/connection/websocket", s.upgrade)
	page("POST", "/connection/http_stream", s.streamLines)
	page("GET", "/connection/sse", s.streamEvents)
	page("POST", "/emulation", s.emulate)
	if o.Ticket != nil {
		mux.Handle(s.cfg.Prefix+"/ticket", o.Ticket)
	}
	mux.Handle(s.cfg.Prefix+"/", http.NotFoundHandler())
	if o.Mount != nil {
		mux.Handle("/", o.Mount)
	}
	return mux
}

// Handler serves what the listener does, for tests that bring their own.
func (s *Server) Handler() http.Handler { return s.handler }

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close gives the port back where Run is never called.
func (s *Server) Close() error {
	s.stop()
	return s.listener.Close()
}

// Run serves until ctx is done, ends the sessions that are left, and returns
// when everything has stopped.
//
// # Errors
//
// The listener failed; a stop by ctx is no error.
func (s *Server) Run(ctx context.Context) error {
	defer s.stop()
	server := &http.Server{
		Handler:        s.handler,
		TLSConfig:      s.tls,
		ReadTimeout:    s.cfg.ConnectTimeout, // of a body that nobody wants, too; streams lift it
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 64 << 10, // a token can be in the URL of sse
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:    func(net.Listener) context.Context { return s.base },
	}
	var inner sync.WaitGroup
	inner.Go(func() { s.wheel.run(s.base) })
	for range checkers {
		inner.Go(s.runChecks)
	}
	served := make(chan error, 1)
	inner.Go(func() { served <- s.serve(server) })
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	s.disconnectAll(shutdown)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), linger)
	defer cancel()
	server.Shutdown(grace)
	s.stop()
	server.Close()
	<-s.empty
	s.work.Wait()
	inner.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the client endpoints: %w", err)
	}
	return nil
}

func (s *Server) serve(server *http.Server) error {
	if s.tls != nil {
		return server.ServeTLS(s.listener, "", "")
	}
	return server.Serve(s.listener)
}
