package auth

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxSources bounds how many addresses are remembered.
	maxSources = 4096
	// A source earns credit with each token that Keystone accepts and spends it on
	// each that Keystone refuses.
	creditEarned = 4
	maxCredit    = 1000
	// How many questions of one source without credit may wait for their turn: a
	// backend asks for many users at once, a client for itself.
	backendWaiting = 1024
	clientWaiting  = 16
)

// source is an address that sends tokens about which Keystone has to be asked.
// Those that ask for tickets and those that connect are sources of their own, even
// at one address. The fields other than turn belong to sources.mu.
type source struct {
	backend bool
	// via is the proxy that named the address; nil: nobody did. Then the address
	// can be a backend's, or a proxy's that is not trusted, and is never locked out.
	via      *source
	failures *rate.Limiter // of an address that was named
	credit   int
	waiting  int
	// turn is held while one of the source's questions is asked, if it has no
	// credit.
	turn chan struct{}
}

// sources remembers which addresses send tokens, and how good those are.
type sources struct {
	proxies   Proxies
	perMinute int // refused tokens that a named address may send
	metric    *metrics
	now       func() time.Time

	mu    sync.Mutex
	known bounded[sourceKey, *source]
}

type sourceKey struct {
	address            string
	backend, forwarded bool
}

func newSources(proxies Proxies, perMinute int, m *metrics, now func() time.Time) *sources {
	return &sources{
		proxies: proxies, perMinute: perMinute, metric: m, now: now,
		known: newBounded[sourceKey, *source](maxSources),
	}
}

// of is the source of a request, which asks for a ticket or connects.
func (s *sources) of(r *http.Request, backend bool) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil {
		return s.find(sourceKey{backend: backend})
	}
	address, named := s.proxies.Address(r)
	from := s.find(sourceKey{Network(address), backend, !named && r.Header.Get("X-Forwarded-For") != ""})
	if named {
		peer, _ := Proxies(nil).Address(r)
		from.via = s.find(sourceKey{Network(peer), backend, true})
		if from.failures == nil {
			from.failures = rate.NewLimiter(rate.Limit(float64(s.perMinute)/60), s.perMinute)
		}
	}
	return from
}

// find returns a source and makes it the newest. The oldest makes room; one with
// credit is spared, which costs it some.
func (s *sources) find(key sourceKey) *source {
	from, ok := s.known.get(key)
	if !ok {
		from = &source{backend: key.backend, turn: make(chan struct{}, 1)}
		s.spare()
	}
	if _, full := s.known.put(key, from); full {
		s.metric.limit(limitSources)
	}
	return from
}

// spare moves sources with credit away from where they would make room.
func (s *sources) spare() {
	for range 16 {
		key, oldest, ok := s.known.oldest()
		if !ok || s.known.len() < maxSources || oldest.credit == 0 {
			return
		}
		oldest.credit--
		s.known.put(key, oldest)
	}
}

// trusted reports whether a source's questions need not wait behind strangers':
// it, or the proxy before it, has lately brought good tokens for tickets. nil is
// the router itself, which asks about clients that it knows.
func (s *sources) trusted(from *source) bool {
	if from == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return from.backend && (from.credit > 0 || from.via != nil && from.via.credit > 0)
}

// lockedOut reports whether a user's address has sent too many refused tokens.
func (s *sources) lockedOut(from *source) bool {
	if from == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return from.failures != nil && from.credit == 0 && from.failures.TokensAt(s.now()) < 1
}

// enter counts a question that is about to wait. It reports false if too many of
// the source do.
func (s *sources) enter(from *source) bool {
	if from == nil {
		return true
	}
	most := clientWaiting
	if from.backend && from.via == nil {
		most = backendWaiting
	}
	trusted := s.trusted(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !trusted && from.waiting >= most {
		return false
	}
	from.waiting++
	return true
}

// leave counts a question that waits no more.
func (s *sources) leave(from *source) {
	if from != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		from.waiting--
	}
}

// judged counts what Keystone said about a source's token.
func (s *sources) judged(from *source, good bool) {
	if from == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !good && from.failures != nil {
		from.failures.AllowN(s.now(), 1)
	}
	for ; from != nil; from = from.via {
		if good {
			from.credit = min(from.credit+creditEarned, maxCredit)
		} else {
			from.credit = max(from.credit-1, 0)
		}
	}
}
