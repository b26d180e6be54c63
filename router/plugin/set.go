package plugin

import (
	"slices"
	"sync/atomic"
)

// set is all plugins at one moment. It does not change once it is current. The
// host holds it while it is current, and each runner while it uses it; when the
// last one lets go, the set releases its versions.
type set struct {
	files    []*file
	versions []*version
	holds    atomic.Int64
}

// file is one file of the folder, and what became of it. It does not change
// once it is in a set.
type file struct {
	name, plugin string
	// stamp and settings are what the last attempt to load it was made with.
	stamp    string
	settings Settings
	// version is what runs; nil for nothing.
	version  *version
	disabled bool
	// refused says why the last attempt failed, if it did.
	refused string
}

// sentence is the refusal as it is shown: the file, what is wrong, the way out.
func (f *file) sentence() string { return "plugin " + f.name + ": " + f.refused }

// hold fails if everybody has already let go of the set.
func (s *set) hold() bool {
	for {
		n := s.holds.Load()
		if n == 0 {
			return false
		}
		if s.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *set) release() {
	if s.holds.Add(-1) == 0 {
		for _, v := range s.versions {
			v.release()
		}
	}
}

// abandon closes the versions of a set that never became current, except those
// that the current one has.
func (s *set) abandon(current *set) {
	for _, f := range s.files {
		if f.version != nil && !slices.Contains(current.versions, f.version) {
			f.version.close()
		}
	}
}

// present are the plugins whose file runs or is disabled, not those whose file is
// refused.
func (s *set) present() map[string]bool {
	there := make(map[string]bool)
	for _, f := range s.files {
		there[f.plugin] = there[f.plugin] || f.version != nil || f.disabled
	}
	return there
}

func (s *set) find(name string) *file {
	for _, f := range s.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// currentSet is the set that runners pick up at their next notification. It is
// safe for concurrent use, but only one goroutine may swap.
type currentSet struct{ pointer atomic.Pointer[set] }

func newCurrentSet() *currentSet {
	c := new(currentSet)
	empty := new(set)
	empty.holds.Store(1)
	c.pointer.Store(empty)
	return c
}

func (c *currentSet) load() *set { return c.pointer.Load() }

// hold takes hold of the set. The caller releases it.
func (c *currentSet) hold() *set {
	for {
		if s := c.load(); s.hold() {
			return s
		}
	}
}

// swap makes next the current set.
func (c *currentSet) swap(next *set) {
	for _, v := range next.versions {
		v.sets.Add(1)
	}
	next.holds.Store(1)
	c.pointer.Swap(next).release()
}
