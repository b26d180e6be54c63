package compile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Cache is the folder of the router's own files: what was compiled, and what it has
// to remember between starts. Its methods are safe for concurrent use.
type Cache struct {
	// dir is the folder, and keeps whether what is in it outlives this process.
	dir   string
	keeps bool
	bytes int64
	close sync.Once
}

const (
	modules = "modules"
	// unfinished is what the names of entries begin with that are being made. Those
	// of an hour ago were left by a process that died.
	unfinished    = ".new-"
	unfinishedFor = time.Hour
)

// OpenCache makes the folder, which may take about so many bytes. If dir is empty it
// is in the user's cache directory; if dir is "none", or there can be no folder, it is
// a temporary one that Close removes. The router executes what is in it, so it must be
// its user's own.
//
// # Errors
//
// The folder that dir names is somebody else's, or others can write to it; or there can
// be no temporary one.
func OpenCache(dir string, bytes int64, log *slog.Logger) (*Cache, error) {
	if dir != "none" {
		named := dir != ""
		dir, err := prepare(dir)
		var danger *dangerError
		if errors.As(err, &danger) && named {
			return nil, err
		}
		if err == nil {
			return &Cache{dir: dir, keeps: true, bytes: bytes}, nil
		}
		log.Warn("plugins are compiled at every start, as there is no cache; set [plugins] cache_dir", "error", err)
	}
	dir, err := temporary()
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder to compile plugins in: %w; set [plugins] cache_dir, or TMPDIR", err)
	}
	return &Cache{dir: dir, bytes: bytes}, os.Mkdir(filepath.Join(dir, modules), 0o700)
}

// temporary makes a folder that only this user can enter. A container may have no
// other place for it than shared memory.
func temporary() (string, error) {
	const name = "horizon-realtime-"
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		if other, failed := os.MkdirTemp("/dev/shm", name); failed == nil {
			return other, nil
		}
	}
	return dir, err
}

// dangerError is a folder in which others could plant machine code.
type dangerError struct{ text string }

func (e *dangerError) Error() string { return e.text }

// prepare makes the folder and returns its absolute path.
func prepare(dir string) (string, error) {
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(user, "horizon-realtime")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// What is above is the administrator's: systemd has a link in /var/cache.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	for _, each := range []string{dir, filepath.Join(dir, modules)} {
		if err := os.Mkdir(each, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if err := private(each); err != nil {
			return "", err
		}
	}
	// It may be on a disk that cannot be written to.
	probe, err := os.MkdirTemp(filepath.Join(dir, modules), unfinished)
	if err != nil {
		return "", err
	}
	return dir, os.Remove(probe)
}

// private makes sure that nobody else can write to the folder.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	mode := info.Mode()
	switch {
	case !mode.IsDir():
		return &dangerError{fmt.Sprintf("the cache of compiled plugins %s is no folder; remove it, or set [plugins] cache_dir", dir)}
	case !own(info):
		return &dangerError{fmt.Sprintf("the cache of compiled plugins %s belongs to another user, who could plant machine code there; chown it to the router's user, or set [plugins] cache_dir", dir)}
	case mode.Perm()&0o022 != 0:
		return &dangerError{fmt.Sprintf("the cache of compiled plugins %s has mode %#o, so that others could plant machine code there; chmod 700 it, or set [plugins] cache_dir", dir, mode.Perm())}
	case mode.Perm() != 0o700:
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// State is the path of a folder for files that are to outlive the process; empty if
// nothing does.
func (c *Cache) State(name string) (string, error) {
	if !c.keeps {
		return "", nil
	}
	dir := filepath.Join(c.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, private(dir)
}

// modules is the folder of entries.
func (c *Cache) modules() string { return filepath.Join(c.dir, modules) }

// Tidy removes the entries that were used longest ago until no more than the limit
// is left, and what processes that died have left behind.
func (c *Cache) Tidy() error {
	// What version 0.1 kept.
	old, err := filepath.Glob(filepath.Join(c.dir, "wazero-*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	type entry struct {
		path string
		size int64
		used time.Time
	}
	var entries []entry
	total := int64(0)
	found, err := os.ReadDir(c.modules())
	if err != nil {
		return err
	}
	for _, f := range found {
		e := entry{path: filepath.Join(c.modules(), f.Name())}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process tidies as well
		}
		if err != nil {
			return err
		}
		e.used = info.ModTime()
		if strings.HasPrefix(f.Name(), unfinished) {
			if time.Since(e.used) > unfinishedFor {
				err = os.RemoveAll(e.path)
			}
			if err != nil {
				return err
			}
			continue
		}
		if e.size, err = sizeOf(e.path); err != nil {
			return err
		}
		entries = append(entries, e)
		total += e.size
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, e := range entries {
		if total <= c.bytes {
			break
		}
		if err := os.RemoveAll(e.path); err != nil {
			return err
		}
		total -= e.size
	}
	return nil
}

// sizeOf is what the files below dir take.
func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return size, err
}

// Close removes a temporary folder. It may be called again.
func (c *Cache) Close() {
	c.close.Do(func() {
		if !c.keeps {
			_ = os.RemoveAll(c.dir)
		}
	})
}
