package session

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/wire"
)

// shared is what all sessions of a server use, and the list of them.
type shared struct {
	*metrics
	cfg       Config
	hub       *hub.Hub
	auth      Authenticator
	log       *slog.Logger
	refused   *auth.RefusalLog // of clients whose token is no good, or cannot be checked
	node      string           // names this process to clients of /emulation
	history   patterns         // channels whose history may be asked for
	presence  patterns         // channels whose subscribers may be asked for
	places    *places
	strangers *Strangers
	arrivals  *arrivals
	wheel     *wheel
	checks    chan *Session // those whose identities are to be checked again

	base context.Context // of questions to the Authenticator; ends with Run
	stop context.CancelFunc

	mu       sync.Mutex
	sessions map[*Session]struct{} // those with a transport
	emulated map[string]*Session   // those with a secret, by that
}

type state uint8

const (
	opened    state = iota // no connect command yet
	connected              // may subscribe
	refused                // its connect command was answered with an error
	closed
)

// Session is one client. Its transport calls Handle with what the client sends,
// and End when there is no connection any more; shards of the hub call the
// methods of hub.Subscriber; the wheel calls meetDeadlines.
type Session struct {
	shared    *shared
	transport Transport
	id        string
	secret    string // shown by requests to /emulation; empty for a websocket
	address   string // what it is counted under, as auth.Network has it
	place     *Place // among strangers, until it has connected
	timer     timer

	// commands is held while commands are handled, one after another. It comes
	// before mu.
	commands sync.Mutex
	request  *http.Request // what it came with, until it has connected
	caller   *caller       // from then on; nil if no other token will come

	mu       sync.Mutex
	limiter  bucket // of commands
	state    state
	ending   uint16 // the code, once it is closed
	identity *auth.Identity
	// revokedAt is when a revocation that came while the client's token was being
	// checked wants it to be checked again; zero: none came.
	revokedAt instant
	subs      []*hub.Subscription // few, and a map is ten times their size
	// Deadlines; zero: none.
	connectBy, pingAt, pongBy, recheckAt instant
	// clients is how many the client was last told that there are.
	clients int
}

func newSession(shared *shared, r *http.Request, address string) *Session {
	s := &Session{shared: shared, id: newID(), address: address, request: r}
	if r != nil {
		s.place = PlaceOf(r.Context())
	}
	s.timer = timer{owner: s, slot: notInWheel}
	s.connectBy = instantOf(time.Now().Add(shared.cfg.ConnectTimeout))
	return s
}

func newID() string { return rand.Text() }

// ID names the session to its client and in logs.
func (s *Session) ID() string { return s.id }

// project is the one that the client is in, if any.
func (s *Session) project() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity.Project
}

// User is whose session it is; empty before it has connected.
func (s *Session) User() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.identity == nil {
		return ""
	}
	return s.identity.User
}

// Connected reports whether the client has said who it is, or what it said was
// refused.
func (s *Session) Connected() bool { return !s.is(opened) }

func (s *Session) is(state state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == state
}

// Permit counts one thing that the client sent, and ends the session if that is
// too many. Handle counts commands; a transport counts what is no command.
func (s *Session) Permit() bool {
	s.mu.Lock()
	may := s.limiter.take(time.Now(), s.shared.cfg.CommandsPerSecond, s.shared.cfg.burst())
	s.mu.Unlock()
	if !may {
		s.Close(wire.TooManyRequests)
	}
	return may
}

// send gives the client one message.
func (s *Session) send(line []byte) { s.Sent(s.transport.Send(line)) }

// refuse answers a command with an error.
func (s *Session) refuse(id uint32, e *wire.Error) {
	s.shared.replyErrors.WithLabelValues(e.Message).Inc()
	s.send(wire.ErrorReply(id, e))
}

// Deliver gives the client what a shard has for it.
func (s *Session) Deliver(b *wire.Batch) { s.Sent(s.transport.Deliver(b)) }

// Sent ends the session if something could not be sent.
func (s *Session) Sent(err error) {
	switch {
	case err == nil:
	case errors.Is(err, ErrSlow):
		s.Close(wire.Slow)
	default:
		s.Close(wire.WriteError)
	}
}

// Close tells the client why and ends its connection. Only the first call
// counts. It does not block.
func (s *Session) Close(why wire.Disconnect) {
	if s.finish(why) {
		s.transport.Disconnect(why)
	}
}

// finish is Close without telling the client.
func (s *Session) finish(why wire.Disconnect) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return false
	}
	s.state, s.ending = closed, why.Code
	return true
}

// End releases everything the session has. Its transport calls it, once, when
// the connection is gone; or whoever admitted it, if there never was one.
func (s *Session) End() {
	s.finish(wire.ClosedByClient)
	s.commands.Lock()
	defer s.commands.Unlock()
	s.shared.wheel.stop(&s.timer)
	s.mu.Lock()
	subs, identity, code := s.subs, s.identity, s.ending
	s.subs, s.request = nil, nil
	s.mu.Unlock()
	for _, sub := range subs {
		if s.shared.hub.Unsubscribe(sub, 0) != nil {
			break // the hub has stopped, and with it all subscriptions
		}
	}
	if identity != nil {
		s.shared.places.giveBack(identity.User, s.address)
		s.place.unname()
	}
	s.shared.forget(s, code)
}

// forget takes a session that has ended off the list.
func (sh *shared) forget(s *Session, code uint16) {
	sh.mu.Lock()
	_, known := sh.sessions[s]
	delete(sh.sessions, s)
	delete(sh.emulated, s.secret)
	sh.mu.Unlock()
	sh.places.leave()
	if known {
		sh.connections.WithLabelValues(s.transport.Name()).Dec()
		sh.endings.WithLabelValues(s.transport.Name(), strconv.Itoa(int(code))).Inc()
	}
}
