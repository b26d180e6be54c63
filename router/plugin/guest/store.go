package guest

import (
	"sync"
	"time"

	"horizon-realtime/sdk/abi"
)

const (
	// maxKVKey and maxKVValue bound one entry, in bytes.
	maxKVKey   = 256
	maxKVValue = 64 << 10
	// entryOverhead is what an entry takes beside its bytes: map slot, pointers,
	// headers.
	entryOverhead = 128
)

// Store is the key/value store that a plugin's instances share: small, bounded,
// and in memory only. Time is the notifications' own, so that a replay finds
// what the original found. It is safe for concurrent use.
type Store struct {
	maxEntries, maxBytes int
	maxTTL               time.Duration

	mu      sync.Mutex
	entries map[string]*entry
	// A ring in the order of writing: root.next was written longest ago.
	root    entry
	bytes   int
	version uint32
	evicted uint64
}

type entry struct {
	key        string
	value      []byte
	version    uint32
	expires    time.Time
	prev, next *entry
}

// NewStore makes an empty store for so many entries and bytes; no entry lives
// longer than maxTTL.
func NewStore(maxEntries, maxBytes int, maxTTL time.Duration) *Store {
	s := &Store{maxEntries: maxEntries, maxBytes: maxBytes, maxTTL: maxTTL, entries: make(map[string]*entry)}
	s.root.prev, s.root.next = &s.root, &s.root
	return s
}

// Get copies the value into buf if it fits. It returns its version (0: there is
// no such key) and its length.
func (s *Store) Get(key, buf []byte, now time.Time) (version uint32, length int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live(key, now)
	if e == nil {
		return 0, 0
	}
	if len(e.value) <= len(buf) {
		copy(buf, e.value)
	}
	return e.version, len(e.value)
}

// Set writes the value if the key is at that version: 0 for "there is none",
// abi.KVAnyVersion for "whatever is there". It reports whether it did. What was
// written longest ago makes room.
func (s *Store) Set(key, value []byte, ttl time.Duration, version uint32, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live(key, now)
	switch {
	case version == abi.KVAnyVersion:
	case e == nil && version != 0, e != nil && version != e.version:
		return false
	}
	if cost(len(key), len(value)) > s.maxBytes || s.maxEntries == 0 {
		return false
	}
	if ttl <= 0 || ttl > s.maxTTL {
		ttl = s.maxTTL
	}
	if e == nil {
		e = &entry{key: string(key)}
		s.entries[e.key] = e
		s.bytes += cost(len(key), 0)
	} else {
		e.unlink()
	}
	s.bytes += len(value) - len(e.value)
	if cap(e.value) > 4*len(value)+64 {
		e.value = nil
	}
	e.value = append(e.value[:0], value...)
	e.expires = now.Add(ttl)
	e.version = s.nextVersion()
	e.linkBefore(&s.root)
	for len(s.entries) > s.maxEntries || s.bytes > s.maxBytes {
		s.remove(s.root.next)
		s.evicted++
	}
	return true
}

// Delete reports whether there was such a key.
func (s *Store) Delete(key []byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live(key, now)
	if e == nil {
		return false
	}
	s.remove(e)
	return true
}

// Usage returns the entries and bytes held, and how many entries have made room
// so far.
func (s *Store) Usage() (entries, bytes int, evicted uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries), s.bytes, s.evicted
}

func (s *Store) live(key []byte, now time.Time) *entry {
	e := s.entries[string(key)]
	if e != nil && now.After(e.expires) {
		s.remove(e)
		return nil
	}
	return e
}

func (s *Store) remove(e *entry) {
	delete(s.entries, e.key)
	s.bytes -= cost(len(e.key), len(e.value))
	e.unlink()
}

// nextVersion never repeats a version that an instance could still remember,
// deleted entries included; 0 and abi.KVAnyVersion mean something else.
func (s *Store) nextVersion() uint32 {
	s.version++
	if s.version == abi.KVAnyVersion {
		s.version = 1
	}
	return s.version
}

func cost(key, value int) int { return key + value + entryOverhead }

func (e *entry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

func (e *entry) linkBefore(at *entry) {
	e.prev, e.next = at.prev, at
	at.prev.next, at.prev = e, e
}
