package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
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
		wheel:    newWheel(),
		upgrader: newUpgrader(cfg, o.Log),
		checks:   make(chan *session, checkQueue),
		sessions: map[string]*session{},
		streams:  map[string]*session{},
		empty:    make(chan struct{}),
	}
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
		return fmt.Errorf("[server] listen = %q: %w", s.cfg.Listen, err)
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

// admit counts one more client and makes its session, or answers why not.
// Whoever gets a session sees that its end is called.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (*session, bool) {
	refuse := func(reason string, status int, text string) (*session, bool) {
		s.refusals.WithLabelValues(reason).Inc()
		w.Header().Set("Retry-After", "5")
		http.Error(w, text, status)
		return nil, false
	}
	address := s.limits.addressOf(r)
	if !s.limits.addAddress(address) {
		return refuse("address", http.StatusTooManyRequests, "too many connections from this address")
	}
	s.mu.Lock()
	draining, full := s.draining, s.admitted >= s.cfg.MaxConnections
	if !draining && !full {
		s.admitted++
	}
	s.mu.Unlock()
	switch {
	case draining:
		s.limits.removeAddress(address)
		return refuse("draining", http.StatusServiceUnavailable, "the server is stopping")
	case full:
		s.limits.removeAddress(address)
		return refuse("total", http.StatusServiceUnavailable, "too many connections")
	}
	return newSession(s, r, address), true
}

// add makes a session known whose transport is ready.
func (s *Server) add(session *session) {
	s.connections.WithLabelValues(session.transport.name()).Inc()
	s.mu.Lock()
	s.sessions[session.id] = session
	if session.secret != "" {
		s.streams[session.secret] = session
	}
	draining := s.draining
	s.mu.Unlock()
	if draining {
		session.close(shutdown)
	}
}

// remove forgets a session that has ended.
func (s *Server) remove(session *session, why disconnect) {
	s.limits.removeAddress(session.address)
	s.mu.Lock()
	s.admitted--
	_, known := s.sessions[session.id]
	delete(s.sessions, session.id)
	delete(s.streams, session.secret)
	if s.draining && s.admitted == 0 {
		close(s.empty)
	}
	s.mu.Unlock()
	if known {
		s.connections.WithLabelValues(session.transport.name()).Dec()
		s.endings.WithLabelValues(session.transport.name(), strconv.Itoa(int(why.code))).Inc()
	}
}

// Sessions is how many clients there are.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// savings is how many commands a client can save up.
func (s *Server) savings() int { return s.cfg.CommandsPerSecond + 2*s.cfg.MaxSubscriptions }

// all is the sessions there are now, in no order.
func (s *Server) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*session, 0, len(s.sessions))
	for _, session := range s.sessions {
		list = append(list, session)
	}
	return list
}

func (s *Server) disconnectAll(why disconnect) {
	s.mu.Lock()
	s.startDraining()
	s.mu.Unlock()
	for _, session := range s.all() {
		session.close(why)
	}
}

// startDraining is called with mu held.
func (s *Server) startDraining() {
	if !s.draining {
		s.draining = true
		if s.admitted == 0 {
			close(s.empty)
		}
	}
}

// Drain takes no new clients and tells those there are to come back, which will
// be to another server or to this one's successor: over [server] drain and in
// random order, so that they do not come back all at once. It returns when none
// is left, or when ctx is done.
func (s *Server) Drain(ctx context.Context) {
	s.mu.Lock()
	s.startDraining()
	s.mu.Unlock()
	sessions := s.all()
	mathrand.Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, session := range sessions {
		// Each has its own slice of the time, and a random moment of it.
		slice := s.cfg.Drain / time.Duration(len(sessions))
		timer.Reset(time.Until(began.Add(slice*time.Duration(i) + mathrand.N(slice+1))))
		select {
		case <-timer.C:
			session.close(shutdown)
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
}
