package server

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

// authenticateTimeout bounds how long a client waits for Keystone.
const authenticateTimeout = 10 * time.Second

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
	if s.allowance.take(s.server.cfg.CommandsPerSecond, s.server.savings()) {
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

func (s *session) authenticate(token string) (*auth.Identity, error) {
	ctx, cancel := context.WithTimeout(s.server.base, authenticateTimeout)
	defer cancel()
	r := s.request
	if r != nil {
		r = r.WithContext(ctx)
	}
	id, err := s.server.auth.Authenticate(ctx, r, token)
	if err == nil && !id.Expires.IsZero() && !time.Now().Before(id.Expires) {
		return nil, auth.ErrExpired
	}
	return id, err
}

func (s *session) connect(id uint32, c *connectRequest) {
	identity, err := s.authenticate(c.Token)
	if err != nil {
		s.server.log.Info("refused a client", "client", s.id, "address", s.address, "error", err)
		s.refuseConnect(id, err)
		return
	}
	if !s.server.limits.addUser(identity.User) {
		s.close(connectionLimit)
		return
	}
	s.mu.Lock()
	if s.state != opened {
		s.mu.Unlock()
		s.server.limits.removeUser(identity.User)
		return
	}
	s.state, s.identity, s.connectBy = connected, identity, time.Time{}
	every := s.server.cfg.Ping
	s.pingAt = time.Now().Add(every/2 + rand.N(every/2))
	s.recheckAt = identity.RevalidateAt()
	s.mu.Unlock()
	s.request = slim(s.request, identity)

	result := connectResult{
		Client:  s.id,
		Version: "horizon-realtime",
		Ping:    int(every / time.Second),
		Pong:    true,
	}
	if !identity.Expires.IsZero() {
		result.Expires, result.TTL = true, ttl(identity.Expires)
	}
	if s.secret != "" {
		result.Session, result.Node = s.secret, s.server.node
	}
	s.schedule() // before the client can know that it is in
	s.send(connectReply(id, result))
}

// refuseConnect answers a connect command that was not good, once.
func (s *session) refuseConnect(id uint32, err error) {
	reply, why := refusal(err)
	if reply == nil {
		s.close(why)
		return
	}
	s.mu.Lock()
	if s.state == opened {
		s.state = refused
	}
	s.mu.Unlock()
	s.refuse(id, reply)
}

// slim keeps of a request what later tokens are judged by, and lets go of the
// rest for as long as the connection lasts.
func slim(r *http.Request, id *auth.Identity) *http.Request {
	if r == nil || id.Expires.IsZero() {
		return nil
	}
	kept := &http.Request{Method: r.Method, Host: strings.Clone(r.Host), RemoteAddr: r.RemoteAddr, Header: http.Header{}}
	if origin := r.Header.Get("Origin"); origin != "" {
		kept.Header.Set("Origin", strings.Clone(origin))
	}
	return kept
}

func (s *session) subscribe(id uint32, c *subscribeRequest) {
	ch, err := event.ParsePattern(c.Channel)
	if err != nil {
		s.refuse(id, errUnknownChannel)
		return
	}
	sub := &hub.Subscription{Channel: ch, To: s, Recover: c.Recover, Epoch: c.Epoch, Offset: c.Offset}
	if e := s.addSubscription(sub); e != nil {
		s.refuse(id, e)
		return
	}
	if err := s.server.hub.Subscribe(sub, id); err != nil {
		s.close(shutdown)
	}
}

func (s *session) addSubscription(sub *hub.Subscription) *replyError {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := sub.Channel.Name
	if err := auth.MayHear(s.identity, sub.Channel); err != nil {
		s.server.log.Debug("refused a subscription", "client", s.id, "channel", name, "error", err)
		return errPermissionDenied
	}
	if s.subscription(name) >= 0 {
		return errAlreadySubscribed
	}
	if len(s.subs) >= s.server.cfg.MaxSubscriptions {
		return errLimitExceeded
	}
	s.subs = append(s.subs, sub)
	return nil
}

// subscription finds a channel's place in subs, -1 if it has none. It is called
// with mu held.
func (s *session) subscription(channel string) int {
	return slices.IndexFunc(s.subs, func(sub *hub.Subscription) bool { return sub.Channel.Name == channel })
}

// Subscribed answers a subscribe command.
func (s *session) Subscribed(_ *hub.Subscription, id uint32, r *hub.Recovery) {
	s.send(subscribeReply(id, r))
}

func (s *session) unsubscribe(id uint32, channel string) {
	var sub *hub.Subscription
	s.mu.Lock()
	if i := s.subscription(channel); i >= 0 {
		sub = s.subs[i]
		s.subs = slices.Delete(s.subs, i, i+1)
	}
	s.mu.Unlock()
	if sub == nil {
		s.send(emptyReply(id, "unsubscribe"))
	} else if err := s.server.hub.Unsubscribe(sub, id); err != nil {
		s.close(shutdown)
	}
}

// Unsubscribed answers an unsubscribe command; there is none with id 0.
func (s *session) Unsubscribed(_ *hub.Subscription, id uint32) {
	if id != 0 {
		s.send(emptyReply(id, "unsubscribe"))
	}
}

// Room is how much of its outbox a recovery may fill.
func (s *session) Room() int { return s.transport.room() / 2 }

func (s *session) refresh(id uint32, token string) {
	if token == "" {
		s.refuse(id, errBadRequest)
		return
	}
	identity, err := s.authenticate(token)
	if err != nil {
		s.server.log.Info("refused a new token", "client", s.id, "error", err)
		if reply, why := refusal(err); reply != nil {
			s.refuse(id, reply)
		} else {
			s.close(why)
		}
		return
	}
	s.mu.Lock()
	same := s.identity.User == identity.User && s.identity.Project == identity.Project
	s.mu.Unlock()
	if !same {
		s.close(invalidToken)
		return
	}
	s.become(identity)
	s.send(refreshReply(id, "refresh", identity.Expires))
}

// become changes who the client is. It is called with commands held. Channels
// that are not the client's any more are closed.
func (s *session) become(identity *auth.Identity) {
	var lost []*hub.Subscription
	s.mu.Lock()
	s.identity, s.recheckAt = identity, identity.RevalidateAt()
	s.subs = slices.DeleteFunc(s.subs, func(sub *hub.Subscription) bool {
		if auth.MayHear(identity, sub.Channel) == nil {
			return false
		}
		lost = append(lost, sub)
		return true
	})
	s.mu.Unlock()
	for _, sub := range lost {
		if s.server.hub.Unsubscribe(sub, 0) != nil {
			s.close(shutdown)
			return
		}
		s.send(unsubscribePush(sub.Channel.Name, errPermissionDenied))
	}
	s.schedule()
}

// subRefresh answers what clients ask whose subscriptions have tokens; here the
// connection's is the only one.
func (s *session) subRefresh(id uint32, channel string) {
	s.mu.Lock()
	known, expires := s.subscription(channel) >= 0, s.identity.Expires
	s.mu.Unlock()
	if !known {
		s.refuse(id, errBadRequest)
		return
	}
	s.send(refreshReply(id, "sub_refresh", expires))
}

func (s *session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pongBy = time.Time{}
}

// schedule has the wheel call due when the next thing is due.
func (s *session) schedule() {
	s.mu.Lock()
	next := s.next()
	s.mu.Unlock()
	if !next.IsZero() {
		s.server.wheel.set(&s.timer, next)
	}
}

// next is the earliest time at which something is due. It is called with mu
// held.
func (s *session) next() time.Time {
	var first time.Time
	if s.state == closed {
		return first
	}
	var expires time.Time
	if s.identity != nil {
		expires = s.identity.Expires
	}
	for _, at := range [...]time.Time{s.connectBy, s.pingAt, s.pongBy, s.recheckAt, expires} {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// due does what is due now, and tells when to be called next; zero: never.
func (s *session) due(now time.Time) time.Time {
	s.mu.Lock()
	passed := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	ping, why := false, disconnect{}
	switch {
	case s.state == closed:
	case passed(s.connectBy):
		why = stale
	case s.identity != nil && passed(s.identity.Expires):
		why = expired
	case passed(s.pongBy):
		why = noPong
	case passed(s.pingAt):
		ping = true
		s.pingAt = now.Add(s.server.cfg.Ping)
		s.pongBy = now.Add(s.server.cfg.PongTimeout)
	}
	if passed(s.recheckAt) {
		s.recheckAt = now.Add(s.server.recheck(s))
	}
	next := s.next()
	s.mu.Unlock()
	if why.code != 0 {
		s.close(why)
		return time.Time{}
	}
	if ping {
		s.send([]byte("{}"))
	}
	return next
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
