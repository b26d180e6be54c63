package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// reloader makes new sets of what the folder holds. One goroutine at a time may
// use it.
type reloader struct {
	*loader
	current  *currentSet
	settings map[string]Settings
	// busy reports whether there is traffic that loading must leave room for.
	busy func() bool
	// seen is the folder's stamp when the current set was made.
	seen string
	// unknown are the tables without a file that the last warning was about.
	unknown []string
}

// reload makes a new set of what the folder holds now, keeping every version
// whose file and settings are the same, and swaps it in.
func (r *reloader) reload(ctx context.Context) error {
	found, err := folder(r.cfg.Dir).scan()
	if err != nil {
		return err
	}
	r.seen = stampOf(found)
	old := make(map[string]*file)
	for _, f := range r.current.load().files {
		old[f.name] = f
	}
	next := &set{files: make([]*file, len(found))}
	taken := make(map[string]string)
	stale := make(map[*file]*file) // → the file before it
	for i, entry := range found {
		f := &file{name: entry.name, plugin: pluginName(entry.name), stamp: entry.stamp}
		f.settings = r.settings[f.plugin]
		before := old[f.name]
		delete(old, f.name)
		if next.files[i] = r.judge(f, before, i, taken); next.files[i] == nil {
			next.files[i] = f
			stale[f] = before
		}
		if _, twice := taken[f.plugin]; !twice {
			taken[f.plugin] = f.name
		}
	}
	r.renewAll(ctx, next.files, stale)
	if r.cacheDir != "" {
		if err := pruneCache(r.cacheDir, r.cfg.CacheBytes); err != nil {
			r.log.Warn("could not tidy the cache of compiled plugins", "error", err)
		}
	}
	if err := ctx.Err(); err != nil {
		next.abandon(r.current.load())
		return err
	}
	r.report(next, old)
	for _, f := range next.files {
		if f.version != nil {
			next.versions = append(next.versions, f.version)
		}
	}
	r.current.swap(next)
	r.records.forget(next.present())
	return nil
}

// judge decides what becomes of the i-th file without reading it: refused, left
// alone, or as it was before. It returns nil if the file is to be loaded.
func (r *reloader) judge(f, before *file, i int, taken map[string]string) *file {
	switch first, twice := taken[f.plugin]; {
	case !validName(f.plugin):
		f.refused = fmt.Sprintf("its name %q is no plugin's name; use 1 to %d characters of a-z 0-9 _ -", f.plugin, maxName)
	case twice:
		f.refused = fmt.Sprintf("its name %q is taken by %s; rename or remove one of them", f.plugin, first)
	case i >= r.cfg.MaxPlugins:
		f.refused = fmt.Sprintf("there are %d files before it, which is the limit; remove some, or raise [plugins] max_plugins", r.cfg.MaxPlugins)
	case f.settings.Enabled != nil && !*f.settings.Enabled:
		f.disabled = true
	case before != nil && before.stamp == f.stamp && !before.disabled && reflect.DeepEqual(before.settings, f.settings):
		return before
	default:
		return nil
	}
	return f
}

// renewAll loads the stale files. Before there is traffic it uses all cores, as
// neither files nor the goroutines that compile one of them share anything. Later
// it loads one file at a time and leaves a core to the traffic, which would
// otherwise queue behind the compiler at every step.
func (r *reloader) renewAll(ctx context.Context, files []*file, stale map[*file]*file) {
	if len(stale) == 0 {
		return
	}
	r.log.Info("loading plugins; those that are new to the cache are compiled first", "files", len(stale))
	cores := runtime.GOMAXPROCS(0)
	abreast := cores
	if r.busy() {
		cores, abreast = max(cores-1, 1), 1
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
			r.renew(ctx, f, before, compilers)
			return nil
		})
	}
	_ = work.Wait()
}

// renew loads the file. If that fails, what ran before goes on running.
func (r *reloader) renew(ctx context.Context, f, before *file, compilers int) {
	var err error
	if f.version, err = r.load(ctx, f.name, f.settings, compilers); err == nil {
		return
	}
	f.refused = err.Error()
	if before != nil && before.version != nil {
		f.version = before.version
		// Grants that were taken away are gone at once all the same.
		if permit, err := f.settings.permit(f.plugin); err == nil {
			f.version.permit.Store(permit.And(f.version.permit.Load()))
		}
	}
}

// report logs what is new about the files, and what is gone.
func (r *reloader) report(next *set, gone map[string]*file) {
	before := r.current.load()
	tables := maps.Clone(r.settings)
	for _, f := range next.files {
		delete(tables, f.plugin)
		if was := before.find(f.name); was != f {
			reportFile(r.log, f, was)
		}
	}
	for _, f := range gone {
		r.log.Info("removed a plugin", "plugin", f.plugin, "file", f.name)
	}
	unknown := slices.Sorted(maps.Keys(tables))
	if slices.Equal(unknown, r.unknown) {
		return
	}
	r.unknown = unknown
	for _, name := range unknown {
		r.log.Warn("a table of router.toml names a plugin that there is no file for", "plugin", name,
			"error", fmt.Sprintf("[plugin.%s]: no file %s.wasm or NN-%s.wasm in %s", name, name, name, r.cfg.Dir))
	}
}

// reportFile logs what became of a file; was is what it was before, if anything.
func reportFile(log *slog.Logger, f, was *file) {
	switch {
	case f.refused != "" && f.version != nil:
		log.Error("refused a new version of a plugin; the one before it goes on running", "plugin", f.plugin, "error", f.sentence())
	case f.refused != "" && (was == nil || was.refused != f.refused):
		log.Error("refused a plugin", "plugin", f.plugin, "error", f.sentence())
	case f.disabled && (was == nil || !was.disabled):
		log.Info("left a disabled plugin alone", "plugin", f.plugin)
	case f.version != nil && f.refused == "":
		log.Info("loaded a plugin", "plugin", f.plugin, "file", f.name, "on", Brief(f.version.sub.Patterns))
	}
}
