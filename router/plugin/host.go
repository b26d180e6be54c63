package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sync/errgroup"

	"horizon-realtime/router/event"
)

// Host holds the filters of a folder and swaps them when files change. Its
// methods are safe for concurrent use; the filtering itself is done by Workers,
// one a goroutine.
type Host struct {
	cfg      Config
	log      *slog.Logger
	cores    int
	keys     keyring
	cacheDir string
	now      func() time.Time

	// current is the set that workers pick up at their next notification.
	current atomic.Pointer[set]
	workers atomic.Int64

	// reloading serialises everything that makes a new set.
	reloading sync.Mutex
	settings  map[string]Settings
	// seen is what the folder looked like when the current set was made.
	seen string
	// unknown are the tables without a file that were last warned about.
	unknown []string
	closed  bool

	recordsMu sync.Mutex
	records   map[string]*record
}

// set is all filters at one moment. It does not change once it is current. The
// host holds it while it is current, a worker while it uses it; the last one
// out gives the filters back that are in no other set.
type set struct {
	files   []*file
	filters []*filter
	holds   atomic.Int64
}

// file is one file of the folder, and what became of it. It does not change
// once it is in a set.
type file struct {
	name, plugin string
	// stamp and settings are what the last attempt to load it was made with.
	stamp    string
	settings Settings
	// filter is nil where there is nothing to run.
	filter   *filter
	disabled bool
	// refused is the sentence about the last attempt, if it went wrong.
	refused string
}

// New makes a host that has loaded nothing yet. The folder is read by Load.
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
	h := &Host{
		cfg: cfg, log: log, keys: keys,
		cores:    runtime.GOMAXPROCS(0),
		now:      time.Now,
		settings: maps.Clone(settings),
		records:  make(map[string]*record),
	}
	if h.cacheDir, err = openCache(cfg, log); err != nil {
		return nil, err
	}
	empty := &set{}
	empty.holds.Store(1)
	h.current.Store(empty)
	if err := reg.Register(newCollector(h)); err != nil {
		return nil, fmt.Errorf("register the metrics of plugins: %w", err)
	}
	return h, nil
}

// Workers tells how many workers the configuration asks for.
func (h *Host) Workers() int { return h.cfg.Workers }

// Load reads the folder and brings its filters up, side by side. A file that is
// refused is logged and in Status; it stops nobody else.
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
	h.settings = maps.Clone(settings)
	return h.reload(ctx)
}

// Release lifts a plugin's pause or quarantine and forgets its faults.
//
// # Errors
//
// No filter of that name is loaded.
func (h *Host) Release(name string) error {
	for _, f := range h.current.Load().filters {
		if f.Name == name {
			f.health.release()
			h.log.Info("released a plugin", "plugin", name)
			return nil
		}
	}
	return fmt.Errorf("no plugin %q is loaded", name)
}

// Close drops the filters. Those that workers still use go with the workers. It
// is called after Run has returned, and may be called again.
func (h *Host) Close() {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	if !h.closed {
		h.closed = true
		h.swap(&set{})
	}
}

// reload makes a new set of what the folder holds now, keeping every filter
// whose file and settings are the same. The caller holds reloading.
func (h *Host) reload(ctx context.Context) error {
	if h.closed {
		return errors.New("the plugin host is closed")
	}
	found, err := h.scan()
	if err != nil {
		return err
	}
	h.seen = stampOf(found)
	old := make(map[string]*file)
	for _, f := range h.current.Load().files {
		old[f.name] = f
	}
	next := &set{files: make([]*file, len(found))}
	taken := make(map[string]string)
	stale := make(map[*file]*file) // and what was there before
	for i, entry := range found {
		f := &file{name: entry.name, plugin: pluginName(entry.name), stamp: entry.stamp}
		f.settings = h.settings[f.plugin]
		before := old[f.name]
		delete(old, f.name)
		if next.files[i] = h.judge(f, before, i, taken); next.files[i] == nil {
			next.files[i] = f
			stale[f] = before
		}
		if _, twice := taken[f.plugin]; !twice {
			taken[f.plugin] = f.name
		}
	}
	if len(stale) > 0 {
		h.log.Info("loading plugins; those that are new to the cache are compiled first", "files", len(stale))
	}
	h.renewAll(ctx, next.files, stale)
	if h.cacheDir != "" {
		if err := pruneCache(h.cacheDir, h.cfg.CacheBytes); err != nil {
			h.log.Warn("could not tidy the cache of compiled plugins", "error", err)
		}
	}
	if err := ctx.Err(); err != nil {
		next.abandon(h.current.Load())
		return err
	}
	h.report(next, old)
	for _, f := range next.files {
		if f.filter != nil {
			next.filters = append(next.filters, f.filter)
		}
	}
	h.swap(next)
	h.forgetRecords()
	return nil
}

// judge tells what becomes of the i-th file without reading it: refused, left
// alone, or as it was before. It is nil if the file is to be loaded.
func (h *Host) judge(f, before *file, i int, taken map[string]string) *file {
	switch first, twice := taken[f.plugin]; {
	case !validName(f.plugin):
		f.refused = fmt.Sprintf("its name %q is no plugin's name; use 1 to %d characters of a-z 0-9 _ -", f.plugin, maxName)
	case twice:
		f.refused = fmt.Sprintf("its name %q is taken by %s; rename or remove one of them", f.plugin, first)
	case i >= h.cfg.MaxPlugins:
		f.refused = fmt.Sprintf("there are %d files before it, which is the limit; remove some, or raise [plugins] max_plugins", h.cfg.MaxPlugins)
	case f.settings.Enabled != nil && !*f.settings.Enabled:
		f.disabled = true
	case before != nil && before.stamp == f.stamp && !before.disabled && reflect.DeepEqual(before.settings, f.settings):
		return before
	default:
		return nil
	}
	return f
}

// renewAll loads the stale files. At the start nobody waits: there are as many at
// work as there are cores, each with what cores are left for it, as files side by
// side share nothing and the goroutines that compile one do. Later on, one file
// follows the other and a core is left to the traffic: every step of a
// notification's trip would queue behind the compiler otherwise.
func (h *Host) renewAll(ctx context.Context, files []*file, stale map[*file]*file) {
	cores, abreast := h.cores, h.cores
	if h.workers.Load() > 0 && len(stale) > 0 {
		cores, abreast = max(h.cores-1, 1), 1
		// A filter's start is one more call that Go cannot interrupt: there
		// is still to be a turn for what cuts it off.
		turns := runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(turns + 1)
		defer runtime.GOMAXPROCS(turns)
	}
	var work errgroup.Group
	work.SetLimit(abreast)
	left := len(stale)
	for _, f := range files {
		before, is := stale[f]
		if !is {
			continue
		}
		compilers := max(cores/min(left, abreast), 1)
		left--
		work.Go(func() error {
			h.renew(experimental.WithCompilationWorkers(ctx, compilers), f, before)
			return nil
		})
	}
	_ = work.Wait()
}

// renew loads the file. Where that fails, what ran before goes on running.
func (h *Host) renew(ctx context.Context, f, before *file) {
	module, err := readModule(h.path(f.name), h.cfg.MaxModuleBytes)
	if err == nil {
		err = h.verify(h.path(f.name), module)
	}
	if err == nil {
		f.filter, err = h.load(ctx, f.name, module, f.settings)
	}
	if err == nil {
		return
	}
	f.refused = err.Error()
	if before != nil && before.filter != nil {
		f.filter = before.filter
		// Permissions that were taken away are gone at once, even so.
		granted, _ := event.ParseGrants(f.settings.Grants)
		f.filter.grants.And(uint32(granted))
	}
}

// report logs what is new about the files, and what is gone.
func (h *Host) report(next *set, gone map[string]*file) {
	before := h.current.Load()
	tables := maps.Clone(h.settings)
	for _, f := range next.files {
		delete(tables, f.plugin)
		was := before.find(f.name)
		if was == f {
			continue
		}
		switch {
		case f.refused != "" && f.filter != nil:
			h.log.Error("refused a new version of a plugin; the one before it goes on running", "plugin", f.plugin, "error", f.sentence())
		case f.refused != "" && (was == nil || was.refused != f.refused):
			h.log.Error("refused a plugin", "plugin", f.plugin, "error", f.sentence())
		case f.disabled && (was == nil || !was.disabled):
			h.log.Info("left a disabled plugin alone", "plugin", f.plugin)
		case f.filter != nil && f.refused == "":
			h.log.Info("loaded a plugin", "plugin", f.plugin, "file", f.name, "on", Brief(f.filter.sub.patterns))
		}
	}
	for _, f := range gone {
		h.log.Info("removed a plugin", "plugin", f.plugin, "file", f.name)
	}
	unknown := slices.Sorted(maps.Keys(tables))
	if slices.Equal(unknown, h.unknown) {
		return
	}
	h.unknown = unknown
	for _, name := range unknown {
		h.log.Warn("a table of router.toml names a plugin that there is no file for", "plugin", name,
			"error", fmt.Sprintf("[plugin.%s]: no file %s.wasm or NN-%s.wasm in %s", name, name, name, h.cfg.Dir))
	}
}

// sentence is the refusal as it is shown: the file, what is wrong, the way out.
func (f *file) sentence() string { return "plugin " + f.name + ": " + f.refused }

// swap makes next the current set.
func (h *Host) swap(next *set) {
	for _, f := range next.filters {
		f.sets.Add(1)
	}
	next.holds.Store(1)
	h.current.Swap(next).release()
}

// hold takes hold of the current set.
func (h *Host) hold() *set {
	for {
		if s := h.current.Load(); s.hold() {
			return s
		}
	}
}

// hold fails where everybody has already let go of the set.
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
		for _, f := range s.filters {
			f.release()
		}
	}
}

// abandon closes the filters of a set that never became current, but for those
// it has from the one that is.
func (s *set) abandon(current *set) {
	for _, f := range s.files {
		if f.filter != nil && !slices.Contains(current.filters, f.filter) {
			f.filter.close()
		}
	}
}

func (s *set) find(name string) *file {
	for _, f := range s.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// found is a file of the folder and what it looks like from outside.
type found struct{ name, stamp string }

// scan lists the modules of the folder, in file-name order. A file's stamp
// changes with its content, its signature's, or its replacement.
func (h *Host) scan() ([]found, error) {
	entries, err := os.ReadDir(h.cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder of plugins: %w; make it, or set [plugins] dir", err)
	}
	var files []found
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".wasm") && !strings.HasPrefix(name, ".") {
			files = append(files, found{name, stampFile(h.path(name)) + " " + stampFile(h.path(name)+".sig")})
		}
	}
	return files, nil
}

func stampFile(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d/%s", info.Size(), info.ModTime().UnixNano(), fileIdentity(info))
}

func stampOf(files []found) string {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s %s\n", f.name, f.stamp)
	}
	return b.String()
}
