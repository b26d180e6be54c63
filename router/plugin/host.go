package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/plugin/compile"
)

// Host holds the plugins of a folder and swaps them when files change. Its
// methods are safe for concurrent use; notifications are handled by Runners, one
// per goroutine.
type Host struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	cache   *compile.Cache
	current *currentSet
	records *records
	runners atomic.Int64

	// reloading serialises everything that makes a new set.
	reloading sync.Mutex
	reloader  *reloader
	closed    bool
}

// New makes a host that has loaded nothing yet; Load reads the folder.
//
// # Errors
//
// An invalid configuration, or a cache directory that others may write to.
func New(cfg Config, settings map[string]Settings, log *slog.Logger, reg prometheus.Registerer) (*Host, error) {
	if err := errors.Join(cfg.Validate(), ValidateSettings(settings)); err != nil {
		return nil, err
	}
	cfg.Workers = cfg.workers()
	keys, err := parseKeys(cfg.PublicKeys)
	if err != nil {
		return nil, fmt.Errorf("[plugins] public_keys: %w", err)
	}
	cache, err := compile.OpenCache(cfg.CacheDir, cfg.CacheBytes, log)
	if err != nil {
		return nil, err
	}
	loading, err := cache.State("loading")
	if err != nil {
		return nil, err
	}
	ran, err := cache.State("versions")
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, log: log, cache: cache, now: time.Now, current: newCurrentSet()}
	now := func() time.Time { return h.now() }
	h.records = newRecords(cfg, log, now)
	h.reloader = &reloader{
		loader: &loader{
			cfg: cfg, log: log, keys: keys, stock: newStock(cfg.Stock),
			compiler: compile.New(cache, cfg.compileLimits(), log), records: h.records, attempts: newAttempts(loading, log), versions: newVersions(ran),
			busy: func() bool { return h.runners.Load() > 0 }, now: now,
		},
		cache:    cache,
		current:  h.current,
		settings: maps.Clone(settings),
	}
	if err := reg.Register(newCollector(h.current, now)); err != nil {
		cache.Close()
		return nil, fmt.Errorf("register the metrics of plugins: %w", err)
	}
	return h, nil
}

// Workers is how many workers the configuration asks for.
func (h *Host) Workers() int { return h.cfg.Workers }

// Load reads the folder and loads its plugins side by side. A refused file is
// logged and shown by Status; it does not affect the others.
//
// # Errors
//
// The folder cannot be read, or ctx is over.
func (h *Host) Load(ctx context.Context) error {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	return h.reload(ctx)
}

// Reconfigure takes new [plugin.<name>] tables. Only plugins whose table has
// changed are loaded again.
//
// # Errors
//
// An invalid table, in which case nothing changes; or Load's.
func (h *Host) Reconfigure(ctx context.Context, settings map[string]Settings) error {
	if err := ValidateSettings(settings); err != nil {
		return err
	}
	h.reloading.Lock()
	defer h.reloading.Unlock()
	h.reloader.settings = maps.Clone(settings)
	return h.reload(ctx)
}

// reload is Load for callers that hold reloading.
func (h *Host) reload(ctx context.Context) error {
	if h.closed {
		return errors.New("the plugin host is closed")
	}
	return h.reloader.reload(ctx)
}

// Release lifts a plugin's pause or quarantine and forgets its faults. A file that is
// not tried because the process died is tried when the folder is read next.
//
// # Errors
//
// No plugin of that name is loaded.
func (h *Host) Release(name string) error {
	for _, f := range h.current.load().files {
		if f.barred == nil || !f.barred.release || f.plugin != name && pluginName(f.name) != name {
			continue
		}
		if err := os.Remove(f.barred.by); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("release it: %w", err)
		}
		h.log.Info("released a plugin; it is loaded when the folder is read next", "plugin", name)
		return nil
	}
	for _, v := range h.current.load().versions {
		if v.Name == name {
			v.health.release()
			h.log.Info("released a plugin", "plugin", name)
			return nil
		}
	}
	return fmt.Errorf("no plugin %q is loaded", name)
}

// Status describes every file of the folder, in file-name order.
func (h *Host) Status() []Status {
	files := h.current.load().files
	status := make([]Status, 0, len(files))
	for _, f := range files {
		status = append(status, statusOf(f, h.now()))
	}
	return status
}

// Close unloads the plugins. Those that runners still use are closed with the
// runners. Call it after Run has returned; it may be called again.
func (h *Host) Close() {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	if !h.closed {
		h.closed = true
		h.current.swap(&set{})
		h.cache.Close()
	}
}
