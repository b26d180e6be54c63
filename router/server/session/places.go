package session

import (
	"errors"
	"sync"
)

// What a client is told that there is no place for. ErrUser is for ever, for a
// client that does not give up another connection.
var (
	ErrUser     = errors.New("too many connections of this user")
	ErrAddress  = errors.New("too many connections from this address")
	ErrFull     = errors.New("too many connections")
	ErrStopping = errors.New("the server is stopping")
)

// reasons are the labels of a metric.
var reasons = map[error]string{ErrAddress: "address", ErrFull: "total", ErrStopping: "draining"}

// places counts sessions, and the clients among them that have connected: all of them,
// by user and by address. Those that have not are Strangers.
type places struct {
	cfg Config

	mu        sync.Mutex
	sessions  int
	clients   int
	users     map[string]int
	addresses map[string]int
	stopping  bool
	empty     chan struct{} // closed when there is no session, and none will be
}

func newPlaces(cfg Config) *places {
	return &places{cfg: cfg, users: map[string]int{}, addresses: map[string]int{}, empty: make(chan struct{})}
}

// admit counts a session, until leave, if there would be a place for its client now.
//
// # Errors
//
// ErrAddress, ErrStopping or ErrFull.
func (p *places) admit(address string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return ErrStopping
	}
	if err := p.room(address); err != nil {
		return err
	}
	p.sessions++
	return nil
}

// room is the error of one more client from an address. It is called with mu held.
func (p *places) room(address string) error {
	switch {
	case over(p.addresses[address], p.cfg.MaxConnectionsPerAddress):
		return ErrAddress
	case p.clients >= p.cfg.MaxConnections:
		return ErrFull
	}
	return nil
}

func (p *places) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions--
	p.checkEmpty()
}

// take counts a client that has said who it is, until giveBack.
//
// # Errors
//
// ErrUser, ErrAddress or ErrFull.
func (p *places) take(user, address string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if over(p.users[user], p.cfg.MaxConnectionsPerUser) {
		return ErrUser
	}
	if err := p.room(address); err != nil {
		return err
	}
	p.clients++
	p.users[user]++
	p.addresses[address]++
	return nil
}

func (p *places) giveBack(user, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients--
	subtract(p.users, user)
	subtract(p.addresses, address)
}

// count is how many clients have connected.
func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients
}

// stop admits nobody any more.
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
	if p.stopping && p.sessions == 0 {
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
