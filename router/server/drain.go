package server

import (
	"context"
	mathrand "math/rand/v2"
	"time"

	"horizon-realtime/router/server/session"
	"horizon-realtime/router/wire"
)

// drain takes no new clients and tells those there are to come back, which will
// be to another server or to this one's successor: spread over a time and in
// random order, so that they do not come back all at once. It returns when none
// is left, or when ctx is done.
func drain(ctx context.Context, sessions *session.Sessions, over time.Duration) {
	sessions.Stop()
	list := sessions.All()
	mathrand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, s := range list {
		// Each has its own slice of the time, and a random moment of it.
		slice := over / time.Duration(len(list))
		timer.Reset(time.Until(began.Add(slice*time.Duration(i) + mathrand.N(slice+1))))
		select {
		case <-timer.C:
			s.Close(wire.Shutdown)
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-sessions.Stopped():
	case <-ctx.Done():
	}
}
