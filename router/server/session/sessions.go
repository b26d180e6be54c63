package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/wire"
)

// Sessions is the clients of one server. Its methods may be called concurrently.
type Sessions struct{ *shared }

// Options are what New needs besides the things that sessions use.
type Options struct {
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// New makes the list of a server's sessions. Run has to run for their deadlines to
// be kept.
func New(cfg Config, h *hub.Hub, authenticator Authenticator, o Options) *Sessions {
	sh := &shared{
		metrics:  newMetrics(o.Registerer),
		cfg:      cfg,
		hub:      h,
		auth:     authenticator,
		log:      o.Log,
		refused:  auth.NewRefusalLog(o.Log),
		node:     newID(),
		history:  newPatterns(cfg.HistoryChannels),
		presence: newPatterns(cfg.PresenceChannels),
		places:   newPlaces(cfg),
		arrivals: newArrivals(cfg.ConnectsPerSecond),
		wheel:    newWheel(),
		checks:   make(chan *Session, checkQueue),
		sessions: map[*Session]struct{}{},
		emulated: map[string]*Session{},
	}
	sh.strangers = newStrangers(cfg, sh.metrics, sh.refused, o.Registerer)
	sh.base, sh.stop = context.WithCancel(context.Background())
	return &Sessions{sh}
}

// Run keeps deadlines and checks identities again until ctx is done, and then has
// no more questions asked to the Authenticator.
func (ss *Sessions) Run(ctx context.Context) {
	defer ss.stop()
	var work sync.WaitGroup
	work.Go(func() { ss.wheel.run(ctx) })
	for range checkers {
		work.Go(func() { ss.runChecks(ctx) })
	}
	<-ctx.Done()
	ss.stop()
	work.Wait()
}

// Admit makes a session for a request, if there is a place for one more client
// from this address. The caller gives it a transport with Open, and sees that End
// is called in any case.
//
// # Errors
//
// ErrAddress, ErrFull or ErrStopping.
func (ss *Sessions) Admit(r *http.Request, address string) (*Session, error) {
	address = auth.Network(address)
	if err := ss.places.admit(address); err != nil {
		ss.Refused(reasons[err]).Inc()
		ss.refused.Log(slog.LevelWarn, "refused a client", "address", address, "error", err)
		return nil, err
	}
	s := newSession(ss.shared, r, address)
	s.place.Move(address)
	return s, nil
}

// Strangers are the connections that have not said who they are.
func (ss *Sessions) Strangers() *Strangers { return ss.strangers }

// Refused counts clients that are refused before they have connected, by the
// reason.
func (ss *Sessions) Refused(reason string) prometheus.Counter {
	return ss.refusals.WithLabelValues(reason)
}

// Open gives the session its transport, from which it takes commands from now on.
// If commands come as requests of their own, emulated, the session has a secret
// that they show.
func (s *Session) Open(t Transport, emulated bool) {
	s.transport = t
	if emulated {
		s.secret = newID()
	}
	s.schedule()
	sh := s.shared
	sh.connections.WithLabelValues(t.Name()).Inc()
	sh.mu.Lock()
	sh.sessions[s] = struct{}{}
	if s.secret != "" {
		sh.emulated[s.secret] = s
	}
	sh.mu.Unlock()
	if sh.places.stopped() {
		s.Close(wire.Shutdown)
	}
}

// ErrOtherNode is what Emulated says to a client of another server, or of one
// that has stopped.
var ErrOtherNode = errors.New("this is not the server that the session is on")

// Emulated finds the session whose commands come as requests that show its
// secret. It is nil if the session has ended.
//
// # Errors
//
// ErrOtherNode.
func (ss *Sessions) Emulated(node, secret string) (*Session, error) {
	if node != ss.node {
		return nil, ErrOtherNode
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.emulated[secret], nil
}

// Len is how many clients there are.
func (ss *Sessions) Len() int {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return len(ss.sessions)
}

// Stop admits no more sessions, and closes those that open from now on.
func (ss *Sessions) Stop() { ss.places.stop() }

// Stopped is closed once Stop was called and the last session has ended.
func (ss *Sessions) Stopped() <-chan struct{} { return ss.places.empty }

// All is the sessions that there are now, in no order.
func (ss *Sessions) All() []*Session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	list := make([]*Session, 0, len(ss.sessions))
	for s := range ss.sessions {
		list = append(list, s)
	}
	return list
}

// Revalidate has the identities that match checked again at that time, and their
// connections ended if they are no longer good. It is called when something has
// changed in Keystone.
func (ss *Sessions) Revalidate(matches func(*auth.Identity) bool, at time.Time) {
	due := instantOf(at)
	for _, s := range ss.All() {
		s.mu.Lock()
		known := s.state == connected && matches(s.identity)
		if known {
			s.recheckAt = sooner(s.recheckAt, due)
		}
		if known || s.state == opened {
			s.revokedAt = sooner(s.revokedAt, due)
		}
		s.mu.Unlock()
		if known {
			s.schedule()
		}
	}
}
