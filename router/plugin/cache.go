package plugin

import (
	"cmp"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// openCache makes the folder for machine code and returns its path, or "" if
// there is to be none. The router executes what is in it, so nobody else may write
// there.
//
// # Errors
//
// The folder cannot be made, or others can write to it.
func openCache(cfg Config, log *slog.Logger) (string, error) {
	dir := cfg.CacheDir
	switch dir {
	case "none":
		return "", nil
	case "":
		user, err := os.UserCacheDir()
		if err != nil {
			log.Info("plugins are compiled at every start: there is no cache directory; set [plugins] cache_dir", "error", err)
			return "", nil
		}
		dir = filepath.Join(user, "horizon-realtime")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the cache of compiled plugins: %w; set [plugins] cache_dir", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("inspect the cache of compiled plugins: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return "", fmt.Errorf("the cache of compiled plugins %s has mode %#o, so that others could plant machine code there; chmod 700 it, or set [plugins] cache_dir", dir, mode)
	}
	return dir, nil
}

// pruneCache removes the oldest files until no more than limit bytes are left.
func pruneCache(dir string, limit int64) error {
	type cached struct {
		path string
		size int64
		used time.Time
	}
	var files []cached
	total := int64(0)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files = append(files, cached{path, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b cached) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, f := range files {
		if total <= limit {
			break
		}
		if err := os.Remove(f.path); err != nil {
			return err
		}
		total -= f.size
	}
	return nil
}
