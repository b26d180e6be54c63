package plugin

import (
	"errors"
	"io/fs"
	"os"
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

// file is one plugin in a file of the folder, and what became of it. It does not
// change once it is in a set.
type file struct {
	name, plugin string
	// number is which plugin of a bundle it is, from 1. It is 0 if the file is one
	// plugin, or nobody has looked.
	number int
	// stamp and settings are what the last attempt to load it was made with.
	stamp    string
	settings Settings
	// version is what runs; nil for nothing.
	version  *version
	disabled bool
	// refused says why the last attempt failed, if it did; crowded that other files
	// are the reason.
	refused string
	crowded bool
	// barred is what bars the file, if something does.
	barred *barred
}

// sentence is the refusal as it is shown: the file, what is wrong, the way out.
func (f *file) sentence() string { return f.title() + ": " + f.refused }

// title is how sentences about the plugin begin.
func (f *file) title() string {
	if f.number > 0 {
		return "plugin " + f.plugin + " of " + f.name
	}
	return "plugin " + f.name
}

// released reports whether the file was barred, and no longer is.
func (f *file) released() bool {
	if f.barred == nil {
		return false
	}
	_, err := os.Stat(f.barred.by)
	return errors.Is(err, fs.ErrNotExist)
}

// current reports whether the file itself runs, and not a version before it.
func (f *file) current() bool { return f.version != nil && f.refused == "" }

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

// released reports whether a file may be tried again.
func (s *set) released() bool { return slices.ContainsFunc(s.files, (*file).released) }

func (s *set) find(name, plugin string) *file {
	for _, f := range s.files {
		if f.name == name && f.plugin == plugin {
			return f
		}
	}
	return nil
}

// has reports whether the set has something of the file.
func (s *set) has(name string) bool {
	return slices.ContainsFunc(s.files, func(f *file) bool { return f.name == name })
}

// hasOther reports whether the set has something of any other file.
func (s *set) hasOther(name string) bool {
	return slices.ContainsFunc(s.files, func(f *file) bool { return f.name != name })
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
