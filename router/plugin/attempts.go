package plugin

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// maxDeaths is how often in a row the process may die while it loads a file, until
// the file is no longer tried. The first time somebody may have killed it.
const maxDeaths = 2

// attempts are marks on disk for the files that are being loaded, by their content. A
// mark that its process has not taken back says that the process died meanwhile. It
// is safe for concurrent use, and other processes may have marks in the same folder.
type attempts struct {
	// dir is the folder; if it is empty, nothing outlives the process.
	dir string
	log *slog.Logger

	mu   sync.Mutex
	open map[[sha256.Size]byte]*attempt
}

// attempt is one file's. Its process has the mark locked, and the system unlocks it if
// the process dies.
type attempt struct {
	mark *os.File
	name string
	// deaths there were before, holders are those in this process that load the file.
	deaths, holders int
}

// barred says that a file is refused for as long as there is a file of ours.
type barred struct {
	text, by string
	// release says that an operator may release the plugin to remove it.
	release bool
}

func (b *barred) Error() string { return b.text }

// condemned bars a file that the process has died of.
func condemned(mark string) *barred {
	return &barred{by: mark, release: true, text: fmt.Sprintf("the router has died %d times while it loaded this file, so it is not tried again by itself; "+
		"replace it, or release it: POST /api/plugins/<name>/release, or remove %s", maxDeaths, mark)}
}

func newAttempts(dir string, log *slog.Logger) *attempts {
	return &attempts{dir: dir, log: log, open: make(map[[sha256.Size]byte]*attempt)}
}

func (a *attempts) path(digest [sha256.Size]byte) string {
	return filepath.Join(a.dir, fmt.Sprintf("%x", digest))
}

// begin marks a file until end is called, which leaves the mark as it was: it takes a
// whole reload to forget a death.
//
// # Errors
//
// A *barred. If the mark cannot be made, the file is loaded without.
func (a *attempts) begin(digest [sha256.Size]byte, name string) (end func(), err error) {
	if a.dir == "" {
		return func() {}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.open[digest]
	if at == nil {
		at, err = a.mark(digest, name)
		var bad *barred
		if errors.As(err, &bad) {
			return nil, err
		}
		if err != nil {
			a.log.Warn("cannot note down which plugin is being loaded", "file", name, "error", err)
		}
		if at == nil {
			return func() {}, nil
		}
		a.open[digest] = at
	}
	at.holders++
	return func() { a.end(digest, at) }, nil
}

// mark makes the mark. It returns nil if another process that lives has it.
func (a *attempts) mark(digest [sha256.Size]byte, name string) (*attempt, error) {
	f, err := os.OpenFile(a.path(digest), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if !lock(f) {
		return nil, f.Close()
	}
	at := &attempt{mark: f, name: name, deaths: deaths(f)}
	if at.deaths >= maxDeaths {
		f.Close()
		return nil, condemned(a.path(digest))
	}
	return at, at.write(at.deaths + 1)
}

func (a *attempts) end(digest [sha256.Size]byte, at *attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.holders--; at.holders > 0 {
		return
	}
	delete(a.open, digest)
	err := at.write(at.deaths)
	if at.deaths == 0 {
		err = os.Remove(a.path(digest))
	}
	if err = errors.Join(err, at.mark.Close()); err != nil {
		a.log.Warn("cannot note down that a plugin is loaded", "file", at.name, "error", err)
	}
}

// write says how often the process has died if it dies now.
func (at *attempt) write(n int) error {
	_, err := at.mark.WriteAt(fmt.Appendf(nil, "%d %s\n", n, at.name), 0)
	return err
}

// deaths reads a mark. One that makes no sense counts for nothing.
func deaths(mark *os.File) (n int) {
	_, _ = fmt.Fscanf(mark, "%d", &n)
	return n
}

// suspicious reports whether the process has died while it was loading plugins, and
// it is not sure which. Then they are to be loaded one by one.
func (a *attempts) suspicious() (found bool) {
	a.each(func(int, string) { found = true })
	return found
}

// settle forgets deaths that nothing came of: everything has been loaded since.
func (a *attempts) settle() {
	a.each(func(_ int, path string) { _ = os.Remove(path) })
}

// each finds the marks of files that are not condemned, and that nobody is loading.
func (a *attempts) each(do func(deaths int, path string)) {
	if a.dir == "" {
		return
	}
	found, err := os.ReadDir(a.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("cannot see which plugins were being loaded when the process died", "error", err)
	}
	for _, entry := range found {
		path := filepath.Join(a.dir, entry.Name())
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue // it is gone, or no mark
		}
		if n := deaths(f); lock(f) && n < maxDeaths {
			do(n, path)
		}
		f.Close()
	}
}
