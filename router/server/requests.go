package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"horizon-realtime/router/server/session"
)

// streams is how many requests may share a connection (HTTP/2).
const streams = 100

// apart makes each request that shares its connection with others (HTTP/2) a stranger
// of its own: one connection could otherwise bring any number of them.
func (s *Server) apart(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			h.ServeHTTP(w, r)
			return
		}
		connection := session.PlaceOf(r.Context())
		connection.Enter() // it begins a request
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		var mu sync.Mutex
		answered := false
		place := s.sessions.Strangers().PlaceOfRequest(connection, func() {
			mu.Lock()
			defer mu.Unlock()
			if !answered { // w must not be used afterwards
				cancel()
				http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
			}
		})
		place.Enter()
		defer func() {
			place.Leave()
			mu.Lock()
			defer mu.Unlock()
			answered = true
		}()
		h.ServeHTTP(w, r.WithContext(session.WithPlace(ctx, place)))
	})
}
