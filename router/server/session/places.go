package session

import (
	"errors"
	"sync"
)

// What Admit says to a client that there is no place for.
var (
	ErrAddress  = errors.New("too many connections from this address")
	ErrFull     = errors.New("too many connections")
	ErrStopping = errors.New("the server is stopping")
)

// places counts connections: all of them, by user and by address.
type places struct {
	cfg Config

	mu        sync.Mutex
	taken     int
	users     map[string]int
	addresses map[string]int
	stopping  bool
	empty     chan struct{} // closed when no place is taken, and none will be
}

func newPlaces(cfg Config) *places {
	return &places{cfg: cfg, users: map[string]int{}, addresses: map[string]int{}, empty: make(chan struct{})}
}

// take takes a place, which leave gives back.
//
// # Errors
//
// ErrAddress, ErrStopping or ErrFull.
func (p *places) take(address string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case over(p.addresses[address], p.cfg.MaxConnectionsPerAddress):
		return ErrAddress
	case p.stopping:
		return ErrStopping
	case p.taken >= p.cfg.MaxConnections:
		return ErrFull
	}
	p.taken++
	p.addresses[address]++
	return nil
}

func (p *places) leave(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	subtract(p.addresses, address)
	p.checkEmpty()
}

// addUser counts a connection for its user, and reports whether there may be one
// more.
func (p *places) addUser(user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if over(p.users[user], p.cfg.MaxConnectionsPerUser) {
		return false
	}
	p.users[user]++
	return true
}

func (p *places) removeUser(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	subtract(p.users, user)
}

// count is how many places are taken.
func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// stop lets nobody take a place any more.
func (p *places) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopping {
		p.stopping = true
		p.checkEmpty()
	}
}

func (p *places) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

func (p *places) checkEmpty() {
	if p.stopping && p.taken == 0 {
		close(p.empty)
	}
}

// over reports whether one more than n is over a bound; 0 is none.
func over(n, bound int) bool { return bound > 0 && n >= bound }

func subtract(counts map[string]int, who string) {
	if counts[who]--; counts[who] <= 0 {
		delete(counts, who)
	}
}
