package session

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/wire"
)

// authenticateTimeout bounds how long a client waits for Keystone.
const authenticateTimeout = 10 * time.Second

func (s *Session) authenticate(token string) (*auth.Identity, error) {
	ctx, cancel := context.WithTimeout(s.shared.base, authenticateTimeout)
	defer cancel()
	r := s.request
	if r == nil && s.caller != nil {
		r = s.caller.request()
	}
	if r != nil {
		r = r.WithContext(ctx)
	}
	s.mu.Lock()
	s.revokedAt = 0
	s.mu.Unlock()
	id, err := s.shared.auth.Authenticate(ctx, r, token)
	if err == nil && !id.Expires.IsZero() && !time.Now().Before(id.Expires) {
		return nil, auth.ErrExpired
	}
	return id, err
}

func (s *Session) connect(id uint32, c *wire.ConnectRequest) {
	if !s.shared.arrivals.take(time.Now()) {
		s.shared.refusals.WithLabelValues("rate").Inc()
		s.refuseOnce(id, wire.ErrTooManyRequests)
		return
	}
	identity, err := s.authenticate(c.Token)
	if err != nil {
		s.shared.arrivals.giveBack(time.Now())
		s.shared.refused.Log(slog.LevelInfo, "refused a client", "client", s.id, "address", s.address, "error", err)
		s.refuseConnect(id, err)
		return
	}
	switch err := s.shared.places.take(identity.User, s.address); err {
	case nil:
	case ErrUser:
		s.Close(wire.ConnectionLimit)
		return
	default:
		s.shared.refusals.WithLabelValues(reasons[err]).Inc()
		s.shared.refused.Log(slog.LevelWarn, "refused a client", "client", s.id, "address", s.address, "error", err)
		s.refuseOnce(id, wire.ErrTooManyRequests)
		return
	}
	told := wire.ServerData{Clients: s.shared.places.count()}
	s.mu.Lock()
	if s.state != opened {
		s.mu.Unlock()
		s.shared.places.giveBack(identity.User, s.address)
		return
	}
	s.state, s.identity, s.connectBy = connected, identity, 0
	s.clients = told.Clients
	every := s.shared.cfg.Ping
	s.pingAt = instantOf(time.Now().Add(every/2 + rand.N(every/2)))
	s.recheckAt = sooner(instantOf(identity.RevalidateAt()), s.revokedAt)
	s.mu.Unlock()
	s.place.name()
	if s.request != nil && !identity.Expires.IsZero() {
		s.caller = callerOf(s.request)
	}
	s.request = nil

	result := wire.ConnectResult{
		Client:  s.id,
		Version: "horizon-realtime",
		Ping:    int(every / time.Second),
		Pong:    true,
		Data:    told,
	}
	if !identity.Expires.IsZero() {
		result.Expires, result.TTL = true, wire.TTL(identity.Expires)
	}
	if s.secret != "" {
		result.Session, result.Node = s.secret, s.shared.node
	}
	s.schedule()
	s.send(wire.ConnectReply(id, result))
}

// refuseConnect answers a connect command whose token is no good.
func (s *Session) refuseConnect(id uint32, err error) {
	reply, why := refusal(err)
	if reply == nil {
		s.Close(why)
		return
	}
	s.refuseOnce(id, reply)
}

// refuseOnce answers a connect command with an error, after which the client has
// to open another connection.
func (s *Session) refuseOnce(id uint32, e *wire.Error) {
	s.mu.Lock()
	if s.state == opened {
		s.state = refused
	}
	s.mu.Unlock()
	s.refuse(id, e)
}

// refusal turns an error of the Authenticator into what a client is told: an
// error in the reply, or if there is none, a disconnect.
func refusal(err error) (*wire.Error, wire.Disconnect) {
	switch {
	case errors.Is(err, auth.ErrExpired):
		return wire.ErrTokenExpired, wire.Expired
	case errors.Is(err, auth.ErrUnauthorized):
		return nil, wire.InvalidToken
	}
	return wire.ErrInternal, wire.Disconnect{}
}
