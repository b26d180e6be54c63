package guest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"horizon-realtime/sdk/abi"
)

// everybody has the whole store.
var everybody = Owner{Shared: true}

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func lookup(s *Store, key string, now time.Time) (string, uint32) {
	buf := make([]byte, 64)
	version, n := s.Get(everybody, []byte(key), buf, now)
	return string(buf[:n]), version
}

func TestStoreComparesVersions(t *testing.T) {
	s := NewStore(10, 1<<20, time.Hour)
	if !s.Set(everybody, []byte("a"), []byte("one"), 0, 0, at) {
		t.Fatal("a new key was refused")
	}
	if s.Set(everybody, []byte("a"), []byte("two"), 0, 0, at) {
		t.Error(`"only if there is none" overwrote one`)
	}
	value, version := lookup(s, "a", at)
	if value != "one" || version == 0 {
		t.Fatalf("got %q at version %d", value, version)
	}
	if !s.Set(everybody, []byte("a"), []byte("two"), 0, version, at) || s.Set(everybody, []byte("a"), []byte("three"), 0, version, at) {
		t.Error("a version can be replaced exactly once")
	}
	if s.Set(everybody, []byte("b"), []byte("x"), 0, 7, at) {
		t.Error("a key that is not there has no version 7")
	}
	if !s.Set(everybody, []byte("b"), []byte("x"), 0, abi.KVAnyVersion, at) {
		t.Error("whatever is there, nothing included")
	}
	_, before := lookup(s, "b", at)
	if !s.Delete(everybody, []byte("b"), at) || s.Delete(everybody, []byte("b"), at) {
		t.Error("a key can be deleted exactly once")
	}
	s.Set(everybody, []byte("b"), []byte("x"), 0, 0, at)
	if _, after := lookup(s, "b", at); after == before {
		t.Error("a version came back after its key was deleted")
	}
}

func TestStoreLivesByTheNotificationsTime(t *testing.T) {
	s := NewStore(10, 1<<20, time.Hour)
	s.Set(everybody, []byte("short"), []byte("1"), time.Minute, 0, at)
	s.Set(everybody, []byte("long"), []byte("2"), 48*time.Hour, 0, at)
	if value, _ := lookup(s, "short", at.Add(time.Minute)); value != "1" {
		t.Error("gone too early")
	}
	if _, version := lookup(s, "short", at.Add(61*time.Second)); version != 0 {
		t.Error("still there after its time")
	}
	if _, version := lookup(s, "long", at.Add(time.Hour+time.Second)); version != 0 {
		t.Error("outlived the host's longest time")
	}
	if entries, bytes, _ := s.Usage(); entries != 0 || bytes != 0 {
		t.Errorf("an empty store holds %d entries and %d bytes", entries, bytes)
	}
}

func TestStoreKeepsItsBounds(t *testing.T) {
	s := NewStore(3, 4*(entryOverhead+2), time.Hour)
	for i := range 5 {
		s.Set(everybody, []byte{'a' + byte(i)}, []byte("1"), 0, abi.KVAnyVersion, at)
	}
	s.Set(everybody, []byte("c"), []byte("2"), 0, abi.KVAnyVersion, at)
	s.Set(everybody, []byte("f"), []byte("1"), 0, abi.KVAnyVersion, at)
	for key, want := range map[string]string{"a": "", "b": "", "c": "2", "d": "", "e": "1", "f": "1"} {
		if got, _ := lookup(s, key, at); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if !s.Set(everybody, []byte("g"), make([]byte, 3*entryOverhead), 0, abi.KVAnyVersion, at) {
		t.Error("a value that fits alone was refused")
	}
	if s.Set(everybody, []byte("h"), make([]byte, 5*entryOverhead), 0, abi.KVAnyVersion, at) {
		t.Error("a value larger than the store was taken")
	}
	entries, bytes, evicted := s.Usage()
	if entries != 1 || bytes > s.maxBytes || evicted != 6 {
		t.Errorf("got %d entries, %d bytes, %d evicted", entries, bytes, evicted)
	}
}

func TestStoreIsSharedByWorkers(t *testing.T) {
	s := NewStore(100, 1<<20, time.Hour)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for done := 0; done < 500; {
				value, version := lookup(s, "n", at)
				n := 0
				fmt.Sscan(value, &n)
				if s.Set(everybody, []byte("n"), fmt.Append(nil, n+1), 0, version, at) {
					done++
				}
			}
		})
	}
	work.Wait()
	if value, _ := lookup(s, "n", at); value != "2000" {
		t.Errorf("got %s increments, want 2000", value)
	}
}

func TestStoreIsDividedByOwner(t *testing.T) {
	s := NewStore(80, 1<<20, time.Hour)
	alpha, beta := Owner{Project: "alpha"}, Owner{Project: "beta"}
	set := func(owner Owner, key, value string) {
		s.Set(owner, []byte(key), []byte(value), 0, abi.KVAnyVersion, at)
	}
	get := func(owner Owner, key string) (string, uint32) {
		buf := make([]byte, 64)
		version, n := s.Get(owner, []byte(key), buf, at)
		return string(buf[:n]), version
	}
	set(beta, "mine", "b")
	for i := range 100 { // more than alpha's share, and many versions
		set(alpha, fmt.Sprint("k", i%20), "a")
	}
	for _, other := range []Owner{beta, {}, everybody} {
		if text, version := get(other, "k19"); version != 0 {
			t.Errorf("%+v reads %q of alpha", other, text)
		}
		if s.Delete(other, []byte("k19"), at) {
			t.Errorf("%+v deleted an entry of alpha", other)
		}
	}
	if text, version := get(beta, "mine"); text != "b" || version != 1 {
		t.Errorf("beta has %q at version %d: alpha's writing shows", text, version)
	}
	set(beta, "next", "b")
	if _, version := get(beta, "next"); version != 2 {
		t.Errorf("beta's second version is %d: it tells how much alpha wrote", version)
	}
	if entries, _, _ := s.Usage(); entries != 80/ownerShare+2 {
		t.Errorf("got %d entries: alpha fills more than its share", entries)
	}
}

func TestStoreForgetsOwnersWithoutEntries(t *testing.T) {
	s := NewStore(8, 1<<20, time.Hour)
	for i := range 5 * maxIdleParts {
		owner := Owner{Project: fmt.Sprint("p", i)}
		s.Set(owner, []byte("k"), nil, 0, abi.KVAnyVersion, at)
		if entries, _, _ := s.Usage(); entries > 8 || len(s.parts) > 8+maxIdleParts+1 || s.order.Len()+s.idle.Len() != len(s.parts) {
			t.Fatalf("got %d entries of %d owners, %d in order", entries, len(s.parts), s.order.Len())
		}
	}
	if version, _ := s.Get(Owner{Project: fmt.Sprint("p", 5*maxIdleParts-1)}, []byte("k"), nil, at); version == 0 {
		t.Error("the last owner's entry is gone")
	}
}
