package compile

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/sdk/abi"
)

// Limits bound what compiling one module may take.
type Limits struct {
	// Memory bounds the memory of the process that compiles, in bytes, CPU its
	// processor time (in whole seconds), Time how long it may take.
	Memory int64
	CPU    time.Duration
	Time   time.Duration
	// Loaded bounds what the compiled module may take in the router, in bytes:
	// its machine code and what the engine makes of it. A plugin's memory does not
	// count.
	Loaded int64
}

// Module is what Load is given.
type Module struct {
	// File is the file's name, for whoever looks at the list of processes.
	File   string
	Code   []byte
	Digest [sha256.Size]byte
	// Gentle says that others need the processors more.
	Gentle bool
	guest.Options
}

// Compiler compiles modules and keeps what it made of them. It is safe for
// concurrent use.
type Compiler struct {
	limits Limits
	log    *slog.Logger
	cache  *Cache
}

// New makes a compiler.
func New(cache *Cache, limits Limits, log *slog.Logger) *Compiler {
	return &Compiler{limits: limits, log: log, cache: cache}
}

// Load loads a module from the cache, which is made to have it first if it has not.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func (c *Compiler) Load(ctx context.Context, m Module) (*guest.Module, error) {
	at := filepath.Join(c.cache.modules(), c.key(m))
	if c.cache.keeps {
		loaded, err := load(at, m.Options)
		if err == nil {
			now := time.Now()
			_ = os.Chtimes(at, now, now) // it was used; what that is for can do without
			return loaded, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			c.log.Warn("a plugin in the cache cannot be used, and is compiled again", "plugin", m.Name, "cache", at, "error", err)
		}
	}
	loaded, err := c.make(ctx, m, c.cache.modules(), at)
	var disk *diskError
	if errors.As(err, &disk) && c.cache.keeps {
		c.log.Warn("compiled a plugin without the cache; look after it", "plugin", m.Name, "cache", c.cache.dir, "error", err)
		dir, err := temporary()
		if err != nil {
			return nil, fmt.Errorf("make a temporary folder to compile it in: %w; set [plugins] cache_dir, or TMPDIR", err)
		}
		defer os.RemoveAll(dir)
		return c.make(ctx, m, dir, "")
	}
	return loaded, err
}

// format is to be raised when guest.Build admits less, or leaves something else.
const format = 2

// key names the cache's entry for a module. It covers whatever the entry depends on
// but the engine, which recognises its own machine code.
func (c *Compiler) key(m Module) string {
	text, err := json.Marshal([]any{format, m.Digest, fuel.Identity(), abi.Version, m.Limits.Memory(), c.limits.Loaded})
	if err != nil {
		panic(err) // there is nothing in it that could fail
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// make has a child compile the module into a folder within dir, loads it, and makes
// it the cache's entry at a path, if there is one and the cache keeps entries.
func (c *Compiler) make(ctx context.Context, m Module, dir, at string) (*guest.Module, error) {
	made, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return nil, &diskError{fmt.Errorf("make a folder to compile it into: %w", err)}
	}
	defer os.RemoveAll(made)
	m.CacheDir = made
	if err := c.child(ctx, m); err != nil {
		return nil, err
	}
	loaded, err := load(made, m.Options)
	if err != nil {
		return nil, fmt.Errorf("it was compiled, but cannot be loaded: %w", err)
	}
	if at == "" || !c.cache.keeps {
		return loaded, nil
	}
	// There may be a damaged one. Another process may just have put one there, which
	// is as good.
	_ = os.RemoveAll(at)
	if err := os.Rename(made, at); err != nil {
		c.log.Warn("could not keep what was compiled; look after the cache", "plugin", m.Name, "cache", c.cache.dir, "error", err)
	}
	return loaded, nil
}

// diskError says that the cache has no room, or cannot be written to.
type diskError struct{ error }

func (e *diskError) Unwrap() error { return e.error }
