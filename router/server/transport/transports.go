package transport

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/server/session"
)

// Transports is what all transports of a server share. Its methods may be called
// concurrently.
type Transports struct {
	cfg      Config
	sessions *session.Sessions
	admit    Admit
	log      *slog.Logger
	timeout  time.Duration
	slow     *slowRules
	work     sync.WaitGroup // every goroutine of a connection but those of net/http
}

// Admit makes a session for a request, or answers why not. Whoever gets a session
// sees that End is called.
type Admit func(w http.ResponseWriter, r *http.Request) (*session.Session, bool)

// Options are what New needs besides sessions.
type Options struct {
	Admit      Admit
	Log        *slog.Logger
	Registerer prometheus.Registerer
	// HandshakeTimeout bounds a websocket's answer to its handshake.
	HandshakeTimeout time.Duration
}

// New makes the transports of a server.
func New(cfg Config, sessions *session.Sessions, o Options) *Transports {
	return &Transports{
		cfg: cfg, sessions: sessions, admit: o.Admit, log: o.Log, timeout: o.HandshakeTimeout,
		slow: newSlowRules(cfg.Slow, cfg.SlowChannels, o.Registerer),
	}
}

// Outbox makes an accepted connection one that a websocket can later write to
// without waiting. onClose is called once. The connection is a stranger until a client
// has connected over it; address is what it is counted under, empty if it is not
// counted.
func (t *Transports) Outbox(conn net.Conn, address string, onClose func()) net.Conn {
	o := newOutbox(conn, t.cfg.OutboxBytes, &t.work)
	o.place = t.sessions.Strangers().Place(address, func() { o.Close() })
	o.onClose = onClose
	o.place.Enter()
	return o
}

// PlaceOf is the place among strangers of a connection that Outbox made, or that is
// TLS over one; nil if it is neither.
func PlaceOf(conn net.Conn) *session.Place {
	if o := outboxOf(conn); o != nil {
		return o.place
	}
	return nil
}

// Wait returns when the goroutines of all connections have ended, which they do
// once their sessions are closed.
func (t *Transports) Wait() { t.work.Wait() }
