package guest

import (
	"container/list"
	"strings"
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
	// ownerShare is the part of a store that one project may fill: one in so many.
	ownerShare = 8
	// maxIdleParts is how many parts without entries a store remembers.
	maxIdleParts = 1024
)

// Owner is whose part of a store a call sees.
type Owner struct {
	// Project is the id of the project that owns the notification, or empty.
	Project string
	// Shared is for plugins that have one memory for all projects. Project is
	// empty then.
	Shared bool
}

// Store is the key/value store that a plugin's instances share: small, bounded,
// and in memory only. It is divided by owner: what was written for one project
// cannot be read for another, nor can its version numbers or its existence. Time
// is the notifications' own, so that a replay finds what the original found. It
// is safe for concurrent use.
type Store struct {
	maxEntries, maxBytes int
	maxTTL               time.Duration

	mu    sync.Mutex
	parts map[Owner]*part
	// order lists the parts that have entries; the one written longest ago is
	// first. idle lists the others; the one that has been empty for longest is first.
	order, idle    list.List
	entries, bytes int
	evicted        uint64
}

// part is what a store holds for one owner.
type part struct {
	owner   Owner
	place   *list.Element // in Store.order or, without entries, in Store.idle
	entries map[string]*entry
	// order lists the entries; the one written longest ago is first.
	order   list.List
	bytes   int
	version uint32
}

type entry struct {
	key     string
	value   []byte
	version uint32
	expires time.Time
	place   *list.Element // in part.order
}

// NewStore makes an empty store for so many entries and bytes; no entry lives
// longer than maxTTL.
func NewStore(maxEntries, maxBytes int, maxTTL time.Duration) *Store {
	return &Store{maxEntries: maxEntries, maxBytes: maxBytes, maxTTL: maxTTL, parts: make(map[Owner]*part)}
}

// Get copies the value into buf if it fits. It returns its version (0: there is
// no such key) and its length.
func (s *Store) Get(owner Owner, key, buf []byte, now time.Time) (version uint32, length int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.live(s.parts[owner], key, now)
	if e == nil {
		return 0, 0
	}
	if len(e.value) <= len(buf) {
		copy(buf, e.value)
	}
	return e.version, len(e.value)
}

// Set writes the value if the key is at that version: 0 for "there is none",
// abi.KVAnyVersion for "whatever is there". It reports whether it did. If the
// owner's share is full, the owner's oldest entry makes room; if the store is,
// the oldest entry of the owner that has written nothing for longest.
func (s *Store) Set(owner Owner, key, value []byte, ttl time.Duration, version uint32, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.part(owner)
	e := s.live(p, key, now)
	switch {
	case version == abi.KVAnyVersion:
	case e == nil && version != 0, e != nil && version != e.version:
		return false
	}
	maxEntries, maxBytes := s.share(owner)
	if cost(len(key), len(value)) > maxBytes || s.maxEntries == 0 {
		return false
	}
	if ttl <= 0 || ttl > s.maxTTL {
		ttl = s.maxTTL
	}
	if e == nil {
		e = &entry{key: string(key)}
		e.place = p.order.PushBack(e)
		if len(p.entries) == 0 {
			s.idle.Remove(p.place)
			p.place = s.order.PushBack(p)
		}
		p.entries[e.key] = e
		s.entries++
		s.grow(p, cost(len(key), 0))
	}
	s.grow(p, len(value)-len(e.value))
	if cap(e.value) > 4*len(value)+64 {
		e.value = nil
	}
	e.value = append(e.value[:0], value...)
	e.expires = now.Add(ttl)
	e.version = p.nextVersion()
	p.order.MoveToBack(e.place)
	s.order.MoveToBack(p.place)
	for len(p.entries) > maxEntries || p.bytes > maxBytes {
		s.evict(p)
	}
	for s.entries > s.maxEntries || s.bytes > s.maxBytes {
		s.evict(s.order.Front().Value.(*part))
	}
	return true
}

// Delete reports whether there was such a key.
func (s *Store) Delete(owner Owner, key []byte, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[owner]
	e := s.live(p, key, now)
	if e == nil {
		return false
	}
	s.remove(p, e)
	return true
}

// Usage returns the entries and bytes held, and how many entries have made room
// so far.
func (s *Store) Usage() (entries, bytes int, evicted uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries, s.bytes, s.evicted
}

// part returns an owner's part, and begins it if there is none. Empty ones are
// kept, because their version numbers must not repeat, but not for ever.
func (s *Store) part(owner Owner) *part {
	p := s.parts[owner]
	if p == nil {
		owner.Project = strings.Clone(owner.Project)
		p = &part{owner: owner, entries: make(map[string]*entry)}
		p.place = s.idle.PushBack(p)
		s.parts[owner] = p
		for s.idle.Len() > maxIdleParts {
			oldest := s.idle.Remove(s.idle.Front()).(*part)
			delete(s.parts, oldest.owner)
		}
	}
	return p
}

// share is what one owner may fill of the store.
func (s *Store) share(owner Owner) (entries, bytes int) {
	if owner.Shared {
		return s.maxEntries, s.maxBytes
	}
	return max(s.maxEntries/ownerShare, 1), max(s.maxBytes/ownerShare, min(s.maxBytes, cost(maxKVKey, maxKVValue)))
}

func (s *Store) live(p *part, key []byte, now time.Time) *entry {
	if p == nil {
		return nil
	}
	e := p.entries[string(key)]
	if e != nil && now.After(e.expires) {
		s.remove(p, e)
		return nil
	}
	return e
}

// evict removes a part's oldest entry, to make room.
func (s *Store) evict(p *part) {
	s.remove(p, p.order.Front().Value.(*entry))
	s.evicted++
}

func (s *Store) remove(p *part, e *entry) {
	delete(p.entries, e.key)
	if len(p.entries) == 0 {
		s.order.Remove(p.place)
		p.place = s.idle.PushBack(p)
	}
	p.order.Remove(e.place)
	s.entries--
	s.grow(p, -cost(len(e.key), len(e.value)))
}

func (s *Store) grow(p *part, bytes int) {
	p.bytes += bytes
	s.bytes += bytes
}

// nextVersion never repeats a version that an instance could still remember,
// deleted entries included; 0 and abi.KVAnyVersion mean something else.
func (p *part) nextVersion() uint32 {
	p.version++
	if p.version == abi.KVAnyVersion {
		p.version = 1
	}
	return p.version
}

func cost(key, value int) int { return key + value + entryOverhead }
