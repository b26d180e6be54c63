package server

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
)

// authenticateTimeout bounds how long a client waits for Keystone.
const authenticateTimeout = 10 * time.Second

func (s *session) authenticate(token string) (*auth.Identity, error) {
	ctx, cancel := context.WithTimeout(s.server.base, authenticateTimeout)
	defer cancel()
	r := s.request
	if r == nil && s.caller != nil {
		r = s.caller.request()
	}
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
	if !s.server.arrive(time.Now()) {
		s.server.refusals.WithLabelValues("rate").Inc()
		s.refuseOnce(id, errTooManyRequests)
		return
	}
	identity, err := s.authenticate(c.Token)
	if err != nil {
		s.server.arrived()
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
	if s.request != nil && !identity.Expires.IsZero() {
		s.caller = callerOf(s.request)
	}
	s.request = nil

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
	s.schedule()
	s.send(connectReply(id, result))
}

// refuseConnect answers a connect command that was not good, once.
func (s *session) refuseConnect(id uint32, err error) {
	reply, why := refusal(err)
	if reply == nil {
		s.close(why)
		return
	}
	s.refuseOnce(id, reply)
}

// refuseOnce answers a connect command with an error, after which the client has
// to open another connection.
func (s *session) refuseOnce(id uint32, e *replyError) {
	s.mu.Lock()
	if s.state == opened {
		s.state = refused
	}
	s.mu.Unlock()
	s.refuse(id, e)
}

// caller is where a client's request came from: what its later tokens are judged
// by. The request itself is several times as large, for as long as the
// connection lasts.
type caller struct{ method, host, address, page string }

func callerOf(r *http.Request) *caller {
	return &caller{r.Method, strings.Clone(r.Host), r.RemoteAddr, strings.Clone(auth.OriginOf(r))}
}

func (c *caller) request() *http.Request {
	r := &http.Request{Method: c.method, Host: c.host, RemoteAddr: c.address, Header: http.Header{}}
	if c.page != "" {
		r.Header.Set("Origin", c.page)
	}
	return r
}

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
