package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/server/transport"
	"horizon-realtime/router/wire"
)

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
	cfg        Config
	log        *slog.Logger
	sessions   *session.Sessions
	transports *transport.Transports
	origins    origins
	handler    http.Handler
	listener   net.Listener
	cert       *certificate // nil: no TLS

	base context.Context // of requests; ends with Run
	stop context.CancelFunc
}

// New makes a server and opens its listener, so that a port in use is found out
// at the start.
//
// # Errors
//
// The address cannot be listened on, or the certificate cannot be used.
func New(cfg Config, h *hub.Hub, authenticator session.Authenticator, o Options) (*Server, error) {
	proxies, err := auth.ParseProxies(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	origins, err := newOrigins(cfg.AllowedOrigins, proxies)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: o.Log, origins: origins}
	if s.cert, err = cfg.certificate(o.Log); err != nil {
		return nil, err
	}
	o.Registerer.MustRegister(certificateMetrics{s.cert})
	s.sessions = session.New(cfg.SessionConfig, h, authenticator, session.Options{Log: o.Log, Registerer: o.Registerer})
	door := &door{s.sessions, proxies}
	s.transports = transport.New(cfg.TransportConfig, s.sessions, transport.Options{
		Admit: door.admit, Log: o.Log, Registerer: o.Registerer, HandshakeTimeout: cfg.ConnectTimeout,
	})
	s.base, s.stop = context.WithCancel(context.Background())
	s.handler = s.routes(o)
	if err := s.listen(proxies); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) listen(proxies auth.Proxies) error {
	ln, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("[server] listen = %q: %w; free the address, or set another", s.cfg.Listen, err)
	}
	l := &listener{
		Listener: ln,
		outbox:   s.transports.Outbox,
		proxies:  proxies,
	}
	l.closed = func() { l.open.Add(-1) }
	s.listener = l
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
		mux.HandleFunc(s.cfg.Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", method+", OPTIONS")
			http.Error(w, r.Method+" is not allowed here", http.StatusMethodNotAllowed)
		})
	}
	page("GET", "/connection/websocket", s.transports.Websocket())
	page("POST", "/connection/http_stream", s.transports.HTTPStream)
	page("GET", "/connection/sse", s.transports.SSE)
	page("POST", "/emulation", s.transports.Emulation)
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

// Sessions is how many clients there are.
func (s *Server) Sessions() int { return s.sessions.Len() }

// Revalidate has the identities that match checked again at that time, and their
// connections ended if they are no longer good. It is called when something has
// changed in Keystone.
func (s *Server) Revalidate(matches func(*auth.Identity) bool, at time.Time) {
	s.sessions.Revalidate(matches, at)
}

// Drain takes no new clients, and tells those there are to come back over [server]
// drain. It returns when none is left, or when ctx is done.
func (s *Server) Drain(ctx context.Context) { drain(ctx, s.sessions, s.cfg.Drain) }

// Close frees the port if Run is never called.
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
		Handler:        s.apart(s.handler),
		TLSConfig:      s.cert.tls(),
		ReadTimeout:    s.cfg.ConnectTimeout, // of a body that nobody wants, too; streams lift it
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 64 << 10, // a token can be in the URL of sse
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: streams},
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:    func(net.Listener) context.Context { return s.base },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return session.WithPlace(ctx, transport.PlaceOf(conn))
		},
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state == http.StateActive { // it begins a request
				transport.PlaceOf(conn).Enter()
			}
		},
	}
	var inner sync.WaitGroup
	inner.Go(func() { s.sessions.Run(s.base) })
	if s.cert != nil {
		inner.Go(func() { s.cert.run(s.base) })
	}
	served := make(chan error, 1)
	inner.Go(func() { served <- s.serve(server) })
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	s.sessions.Stop()
	for _, left := range s.sessions.All() {
		left.Close(wire.Shutdown)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), transport.Linger)
	defer cancel()
	server.Shutdown(grace)
	s.stop()
	server.Close()
	<-s.sessions.Stopped()
	s.transports.Wait()
	inner.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the client endpoints: %w", err)
	}
	return nil
}

func (s *Server) serve(server *http.Server) error {
	if s.cert != nil {
		return server.ServeTLS(s.listener, "", "")
	}
	return server.Serve(s.listener)
}
