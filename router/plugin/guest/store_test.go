package guest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"horizon-realtime/sdk/abi"
)

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func lookup(s *Store, key string, now time.Time) (string, uint32) {
	buf := make([]byte, 64)
	version, n := s.Get([]byte(key), buf, now)
	return string(buf[:n]), version
}

func TestStoreComparesVersions(t *testing.T) {
	s := NewStore(10, 1<<20, time.Hour)
	if !s.Set([]byte("a"), []byte("one"), 0, 0, at) {
		t.Fatal("a new key was refused")
	}
	if s.Set([]byte("a"), []byte("two"), 0, 0, at) {
		t.Error(`"only if there is none" overwrote one`)
	}
	value, version := lookup(s, "a", at)
	if value != "one" || version == 0 {
		t.Fatalf("got %q at version %d", value, version)
	}
	if !s.Set([]byte("a"), []byte("two"), 0, version, at) || s.Set([]byte("a"), []byte("three"), 0, version, at) {
		t.Error("a version can be replaced exactly once")
	}
	if s.Set([]byte("b"), []byte("x"), 0, 7, at) {
		t.Error("a key that is not there has no version 7")
	}
	if !s.Set([]byte("b"), []byte("x"), 0, abi.KVAnyVersion, at) {
		t.Error("whatever is there, nothing included")
	}
	_, before := lookup(s, "b", at)
	if !s.Delete([]byte("b"), at) || s.Delete([]byte("b"), at) {
		t.Error("a key can be deleted exactly once")
	}
	s.Set([]byte("b"), []byte("x"), 0, 0, at)
	if _, after := lookup(s, "b", at); after == before {
		t.Error("a version came back after its key was deleted")
	}
}

func TestStoreLivesByTheNotificationsTime(t *testing.T) {
	s := NewStore(10, 1<<20, time.Hour)
	s.Set([]byte("short"), []byte("1"), time.Minute, 0, at)
	s.Set([]byte("long"), []byte("2"), 48*time.Hour, 0, at)
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
		s.Set([]byte{'a' + byte(i)}, []byte("1"), 0, abi.KVAnyVersion, at)
	}
	s.Set([]byte("c"), []byte("2"), 0, abi.KVAnyVersion, at)
	s.Set([]byte("f"), []byte("1"), 0, abi.KVAnyVersion, at)
	for key, want := range map[string]string{"a": "", "b": "", "c": "2", "d": "", "e": "1", "f": "1"} {
		if got, _ := lookup(s, key, at); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if !s.Set([]byte("g"), make([]byte, 3*entryOverhead), 0, abi.KVAnyVersion, at) {
		t.Error("a value that fits alone was refused")
	}
	if s.Set([]byte("h"), make([]byte, 5*entryOverhead), 0, abi.KVAnyVersion, at) {
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
				if s.Set([]byte("n"), fmt.Append(nil, n+1), 0, version, at) {
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
