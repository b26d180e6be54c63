package auth

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxFailurePeers bounds how many addresses are counted at the same time.
const maxFailurePeers = 4096

// failures counts, for each address, refused tokens against an allowance that
// refills within a minute.
type failures struct {
	perMinute int
	metric    *metrics
	now       func() time.Time

	mu    sync.Mutex
	peers map[string]*rate.Limiter
}

func newFailures(perMinute int, m *metrics, now func() time.Time) *failures {
	return &failures{perMinute: perMinute, metric: m, now: now, peers: map[string]*rate.Limiter{}}
}

// ok tells whether an address has allowance left.
func (f *failures) ok(peer string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.peers[peer]
	return l == nil || l.TokensAt(f.now()) >= 1
}

// note counts one failure.
func (f *failures) note(peer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.peers[peer]
	if l == nil {
		if len(f.peers) >= maxFailurePeers {
			f.makeRoom()
		}
		l = rate.NewLimiter(rate.Limit(float64(f.perMinute)/60), f.perMinute)
		f.peers[peer] = l
	}
	l.AllowN(f.now(), 1)
}

// makeRoom forgets the addresses whose allowance is whole again, or any one.
func (f *failures) makeRoom() {
	now, last := f.now(), ""
	for peer, l := range f.peers {
		if l.TokensAt(now) >= float64(f.perMinute) {
			delete(f.peers, peer)
		}
		last = peer
	}
	if len(f.peers) >= maxFailurePeers {
		f.metric.limit(limitFailurePeers)
		delete(f.peers, last)
	}
}
