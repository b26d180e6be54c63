package auth

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLockoutPeers bounds how many addresses are counted at the same time.
const maxLockoutPeers = 4096

// lockout counts refused tokens per address, against an allowance that refills
// within a minute.
type lockout struct {
	perMinute int
	metric    *metrics
	now       func() time.Time

	mu    sync.Mutex
	peers map[string]*rate.Limiter
}

func newLockout(perMinute int, m *metrics, now func() time.Time) *lockout {
	return &lockout{perMinute: perMinute, metric: m, now: now, peers: map[string]*rate.Limiter{}}
}

// ok reports whether an address has allowance left.
func (o *lockout) ok(peer string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.peers[peer]
	return l == nil || l.TokensAt(o.now()) >= 1
}

// note counts one failure.
func (o *lockout) note(peer string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.peers[peer]
	if l == nil {
		if len(o.peers) >= maxLockoutPeers {
			o.makeRoom()
		}
		l = rate.NewLimiter(rate.Limit(float64(o.perMinute)/60), o.perMinute)
		o.peers[peer] = l
	}
	l.AllowN(o.now(), 1)
}

// makeRoom forgets the addresses whose allowance is full again, or else any one.
func (o *lockout) makeRoom() {
	now, last := o.now(), ""
	for peer, l := range o.peers {
		if l.TokensAt(now) >= float64(o.perMinute) {
			delete(o.peers, peer)
		}
		last = peer
	}
	if len(o.peers) >= maxLockoutPeers {
		o.metric.limit(limitLockoutPeers)
		delete(o.peers, last)
	}
}
