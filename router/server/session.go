package server

import (
	"bytes"
	"errors"
	"net/http"
	"sync"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
)

type state uint8

const (
	opened    state = iota // no connect command yet
	connected              // may subscribe
	refused                // its connect command was answered with an error
	closed
)

// session is one client, whatever it came over. Its transport calls handle with
// what the client sends and end when the connection is no more; shards call the
// methods of hub.Subscriber; the wheel calls due.
type session struct {
	server    *Server
	transport transport
	id        string
	secret    string // what requests to /emulation show; empty for a websocket
	address   string // what it is counted under
	timer     timer

	// commands is held while commands are handled, one after another.
	commands  sync.Mutex
	allowance allowance
	request   *http.Request // what it came with, until it has connected
	caller    *caller       // from then on; nil where no other token will come

	mu       sync.Mutex
	state    state
	identity *auth.Identity
	subs     []*hub.Subscription // few, and a map is ten times their size
	ending   disconnect
	// When things are due; zero: not at all.
	connectBy, pingAt, pongBy, recheckAt time.Time
}

// newSession makes a session that waits for its connect command.
func newSession(server *Server, r *http.Request, address string) *session {
	s := &session{server: server, id: newID(), address: address, request: r}
	s.timer.owner, s.timer.slot = s, -1
	s.allowance = allowance{left: float64(server.savings()), at: time.Now()}
	s.connectBy = time.Now().Add(server.cfg.ConnectTimeout)
	return s
}

// handle does the commands of one frame, in order. What they are answered with
// has been sent when it returns, but for what the hub answers. A frame without
// any counts as one.
func (s *session) handle(frame []byte) {
	s.commands.Lock()
	defer s.commands.Unlock()
	if len(bytes.TrimSpace(frame)) == 0 {
		s.permit()
		return
	}
	for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if s.is(closed) {
			return
		}
		s.command(line)
	}
}

func (s *session) is(state state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == state
}

// permit counts one thing the client sent, and ends the session if that is too many.
func (s *session) permit() bool {
	if s.allowance.take(time.Now(), s.server.cfg.CommandsPerSecond, s.server.savings()) {
		return true
	}
	s.close(tooManyRequests)
	return false
}

func (s *session) command(line []byte) {
	if !s.permit() {
		return
	}
	c, err := parseCommand(line)
	if err != nil {
		s.server.log.Debug("refused a command", "client", s.id, "error", err)
		s.close(badRequest)
		return
	}
	method := c.method()
	s.server.commands.WithLabelValues(method).Inc()
	// Connect comes first, and nothing comes after one that was refused.
	wanted := connected
	if method == "connect" {
		wanted = opened
	}
	if !s.is(wanted) {
		s.close(badRequest)
		return
	}
	switch method {
	case "connect":
		s.connect(c.ID, c.Connect)
	case "subscribe":
		s.subscribe(c.ID, c.Subscribe)
	case "unsubscribe":
		s.unsubscribe(c.ID, c.Unsubscribe.Channel)
	case "refresh":
		s.refresh(c.ID, c.Refresh.Token)
	case "sub_refresh":
		s.subRefresh(c.ID, c.SubRefresh.Channel)
	case "history":
		s.history(c.ID, c.History)
	case "presence":
		s.presence(c.ID, c.Presence.Channel, presenceReply)
	case "presence_stats":
		s.presence(c.ID, c.PresenceStats.Channel, presenceStatsReply)
	case "ping":
		s.send(emptyReply(c.ID, "ping"))
	case "pong":
		s.pong()
	case "not_available":
		if c.ID != 0 { // a `send` has none, and no answer
			s.refuse(c.ID, errNotAvailable)
		}
	default:
		s.refuse(c.ID, errMethodNotFound)
	}
}

func (s *session) refuse(id uint32, e *replyError) {
	s.server.replyErrors.WithLabelValues(e.message).Inc()
	s.send(errorReply(id, e))
}

// send gives the client one message.
func (s *session) send(line []byte) { s.judge(s.transport.send(line)) }

// Deliver gives the client what a shard has for it.
func (s *session) Deliver(b *hub.Batch) { s.judge(s.transport.deliver(b)) }

// judge ends the session where something could not be sent.
func (s *session) judge(err error) {
	switch {
	case err == nil:
	case errors.Is(err, errSlow):
		s.close(slow)
	default:
		s.close(writeError)
	}
}

// close tells the client why and ends its connection. Only the first time
// counts. It does not block.
func (s *session) close(why disconnect) {
	if s.finish(why) {
		s.transport.close(why)
	}
}

// finish is close without telling the client.
func (s *session) finish(why disconnect) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closed {
		return false
	}
	s.state, s.ending = closed, why
	return true
}

// end lets go of everything the session has. Its transport calls it, once, when
// there is no connection any more.
func (s *session) end() {
	s.finish(closedByClient)
	s.commands.Lock()
	defer s.commands.Unlock()
	s.server.wheel.stop(&s.timer)
	s.mu.Lock()
	subs, identity, why := s.subs, s.identity, s.ending
	s.subs, s.request = nil, nil
	s.mu.Unlock()
	for _, sub := range subs {
		if s.server.hub.Unsubscribe(sub, 0) != nil {
			break // the hub has stopped, and with it all subscriptions
		}
	}
	if identity != nil {
		s.server.limits.removeUser(identity.User)
	}
	s.server.remove(s, why)
}
