package auth

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// tokenKey is a token's SHA-256. A copy of the keys is useless to a thief, and a
// lookup takes the same time for every wrong token.
type tokenKey = [sha256.Size]byte

func hashToken(token string) tokenKey { return sha256.Sum256([]byte(token)) }

// tokenCache remembers Keystone's answers, each until its recheck is due or the
// token expires. It is bounded; the oldest answer is dropped first.
type tokenCache struct {
	size   int
	metric *metrics
	now    func() time.Time

	mu      sync.Mutex
	entries map[tokenKey]*list.Element // of cached
	order   *list.List                 // oldest first
	changes uint64
}

type cached struct {
	key tokenKey
	id  *Identity
}

func newTokenCache(size int, m *metrics, now func() time.Time) *tokenCache {
	return &tokenCache{size: size, metric: m, now: now, entries: map[tokenKey]*list.Element{}, order: list.New()}
}

func (c *tokenCache) get(key tokenKey) *Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return nil
	}
	id := e.Value.(cached).id
	if now := c.now(); !now.Before(id.proof.recheck) || !now.Before(id.Expires) {
		c.remove(e)
		return nil
	}
	return id
}

// generation is the number of changes so far, for put.
func (c *tokenCache) generation() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// put keeps an answer to a question asked at generation since. It reports whether
// it did: not after a change.
func (c *tokenCache) put(key tokenKey, id *Identity, since uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != since {
		return false
	}
	if e := c.entries[key]; e != nil {
		c.remove(e)
	}
	for c.order.Len() >= c.size {
		oldest := c.order.Front()
		if c.now().Before(oldest.Value.(cached).id.proof.recheck) {
			c.metric.limit(limitCache)
		}
		c.remove(oldest)
	}
	c.entries[key] = c.order.PushBack(cached{key, id})
	return true
}

// drop forgets the identities that match.
func (c *tokenCache) drop(match func(*Identity) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if match(e.Value.(cached).id) {
			c.remove(e)
		}
		e = next
	}
}

func (c *tokenCache) remove(e *list.Element) {
	delete(c.entries, e.Value.(cached).key)
	c.order.Remove(e)
}
