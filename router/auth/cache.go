package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// tokenKey is a token's SHA-256. A copy of the keys is useless to a thief, and a
// lookup takes the same time for every wrong token.
type tokenKey = [sha256.Size]byte

func hashToken(token string) tokenKey { return sha256.Sum256([]byte(token)) }

const (
	// refusedFor is how long a refused token is not asked about again. It will not
	// become valid, unless the node of Keystone that was asked did not have a new
	// Fernet key yet.
	refusedFor = time.Minute
	// maxRefused bounds how many refused tokens are remembered.
	maxRefused = 10_000
	// maxRevocations bounds how many revocations an answer is compared with. So
	// many do not come while a question is under way.
	maxRevocations = 4096
	// hastyCheck is when an answer is checked again that one matching revocation
	// after the other has overtaken.
	hastyCheck = time.Second
)

// tokenCache remembers Keystone's answers: the identity of a valid token until
// its recheck is due or it expires, the error of a refused one for a minute. Both
// are bounded; the oldest answer is dropped first.
type tokenCache struct {
	metric *metrics
	now    func() time.Time

	mu      sync.Mutex
	valid   bounded[tokenKey, *Identity]
	refused bounded[tokenKey, refusedToken]
	// recent has the latest revocations, number i at i modulo its length.
	recent  [maxRevocations]Revocation
	revoked uint64 // revocations so far
}

type refusedToken struct {
	err   error
	until time.Time
}

func newTokenCache(size int, m *metrics, now func() time.Time) *tokenCache {
	return &tokenCache{
		metric: m, now: now,
		valid: newBounded[tokenKey, *Identity](size), refused: newBounded[tokenKey, refusedToken](maxRefused),
	}
}

// get returns what is known about a token: its identity, the error it was refused
// with, or neither.
func (c *tokenCache) get(key tokenKey) (*Identity, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.valid.get(key); ok {
		if now := c.now(); now.Before(id.proof.recheck) && now.Before(id.Expires) {
			return id, nil
		}
		c.valid.remove(key)
	}
	if r, ok := c.refused.get(key); ok {
		if c.now().Before(r.until) {
			return nil, r.err
		}
		c.refused.remove(key)
	}
	return nil, nil
}

// asking returns the number of revocations so far, which put wants to know of the
// time of the question.
func (c *tokenCache) asking() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revoked
}

// put keeps an identity, the answer to a question asked at since, and returns it
// with its recheck. It returns nil if a revocation matched it meanwhile: the answer
// may be older than the change. The last answer of several is used all the same,
// and checked again soon.
func (c *tokenCache) put(key tokenKey, id *Identity, since uint64, last bool) *Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if at, matched := c.overtaken(id, since); matched {
		switch {
		case now.Before(at):
		case last:
			at = now.Add(hastyCheck)
		default:
			return nil
		}
		id = id.dueBy(at)
	}
	c.refused.remove(key)
	if old, full := c.valid.put(key, id); full && now.Before(old.proof.recheck) {
		c.metric.limit(limitCache)
	}
	return id
}

// overtaken reports whether a revocation since then matches an identity, and when
// it is to be checked for that. Of more than are remembered one may have matched.
func (c *tokenCache) overtaken(id *Identity, since uint64) (at time.Time, matched bool) {
	if c.revoked-since > maxRevocations {
		return time.Time{}, true
	}
	for i := since; i < c.revoked; i++ {
		r := &c.recent[i%maxRevocations]
		if r.Matches(id) && (!matched || r.At.Before(at)) {
			at, matched = r.At, true
		}
	}
	return at, matched
}

// refuse remembers that Keystone refused a token.
func (c *tokenCache) refuse(key tokenKey, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.valid.remove(key)
	if old, full := c.refused.put(key, refusedToken{err, c.now().Add(refusedFor)}); full && c.now().Before(old.until) {
		c.metric.limit(limitRefused)
	}
}

// revoke has the matching identities checked again when the revocation says.
func (c *tokenCache) revoke(r Revocation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent[c.revoked%maxRevocations] = r
	c.revoked++
	for _, id := range c.valid.all() {
		if r.Matches(*id) {
			*id = (*id).dueBy(r.At)
		}
	}
}
