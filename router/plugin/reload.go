package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"horizon-realtime/router/plugin/compile"
)

// reloader makes new sets of what the folder holds. One goroutine at a time may
// use it.
type reloader struct {
	*loader
	cache    *compile.Cache
	current  *currentSet
	settings map[string]Settings
	// suspicious says that the process died in an earlier reload.
	suspicious bool
	// remembers says that versions that run are noted down.
	remembers bool
	// seen is the folder's stamp when the current set was made.
	seen string
	// unknown are the tables without a file that the last warning was about.
	unknown []string
}

// reload makes a new set of what the folder holds now, keeping every version
// whose file and settings are the same, and swaps it in.
func (r *reloader) reload(ctx context.Context) error {
	found, err := r.scan()
	if err != nil {
		return err
	}
	r.seen = stampOf(found)
	if r.suspicious = r.attempts.suspicious(); r.suspicious {
		r.log.Warn("the process died while it was loading plugins; they are loaded one by one, to see whose doing it was")
	}
	sources := r.sources(r.stock.among(found))
	defer func() {
		for _, s := range sources {
			if s.code != nil {
				s.code.release()
			}
		}
	}()
	r.openAll(ctx, sources)
	next, stale := r.judgeAll(sources)
	r.renewAll(ctx, stale)
	if err := r.cache.Tidy(); err != nil {
		r.log.Warn("could not tidy the cache of compiled plugins", "error", err)
	}
	if err := ctx.Err(); err != nil {
		next.abandon(r.current.load())
		return err
	}
	r.attempts.settle()
	r.report(next)
	for _, f := range next.files {
		if f.version != nil {
			next.versions = append(next.versions, f.version)
		}
	}
	r.current.swap(next)
	r.remember()
	r.records.forget(next.present())
	return nil
}

// scan lists the files of the folder. One that nobody named need not exist if the
// program carries plugins; but one that vanishes has not lost its plugins.
func (r *reloader) scan() ([]found, error) {
	found, err := folder(r.cfg.Dir).scan()
	if errors.Is(err, fs.ErrNotExist) && r.stock != nil && r.cfg.Dir == DefaultConfig().Dir && !r.current.load().hasOther(StockFile) {
		return nil, nil
	}
	return found, err
}

// remember notes down which versions run, if it is a router that runs them and not
// somebody who tries them.
func (r *reloader) remember() {
	if !r.remembers || !r.cfg.RequireSignature {
		return
	}
	for _, f := range r.current.load().files {
		if !f.current() || f.version.code.stock || f.version.code.label.Name == "" {
			continue
		}
		if err := r.versions.remember(f.version.code.label); err != nil {
			r.log.Warn("cannot note down which version of a plugin runs; an older one could take its place", "plugin", f.plugin, "error", err)
		}
	}
}

// judgeAll decides what becomes of each plugin. It returns the set, and those in it
// that are to be loaded.
func (r *reloader) judgeAll(sources []*source) (*set, []renewal) {
	next := new(set)
	taken := r.held(sources)
	var stale []renewal
	for _, s := range sources {
		for _, f := range s.files(r.settings) {
			before := s.find(f.plugin)
			judged := r.judge(f, before, len(next.files), taken)
			if judged == nil {
				judged = f
				stale = append(stale, renewal{f, before, s.code})
			}
			next.files = append(next.files, judged)
			if _, twice := taken[f.plugin]; !twice {
				taken[f.plugin] = f.name
			}
		}
	}
	return next, stale
}

// held are the files whose plugins run and are still in them, by the plugin's name: a
// newcomer that has the name, too, does not push one out.
func (r *reloader) held(sources []*source) map[string]string {
	held := make(map[string]string)
	for _, s := range sources {
		for _, f := range s.files(r.settings) {
			if before := s.find(f.plugin); before != nil && before.version != nil {
				held[f.plugin] = s.name
			}
		}
	}
	return held
}

// judge decides what becomes of a plugin that so many come before: refused, left
// alone, or as it was before. It returns nil if it is to be loaded.
func (r *reloader) judge(f, before *file, ahead int, taken map[string]string) *file {
	switch first, twice := taken[f.plugin]; {
	case !validName(f.plugin):
		f.refuse(nil, "its name %q is no plugin's name; use 1 to %d characters of a-z 0-9 _ -", f.plugin, maxName)
	case twice && first != f.name:
		f.crowded = true
		f.refuse(nil, "its name %q is taken by %s; rename or remove one of them", f.plugin, first)
	case ahead >= r.cfg.MaxPlugins:
		f.crowded = true
		f.refuse(nil, "there are %d plugins before it, which is the limit; remove some, or raise [plugins] max_plugins", r.cfg.MaxPlugins)
	case f.settings.disabled():
		f.disabled, f.refused = true, ""
	case before != nil && before.same(f):
		return before
	case f.refused != "":
		f.refuse(before, "%s", f.refused)
	default:
		return nil
	}
	return f
}

// renewal is a plugin that is to be loaded, what it was before, and its code.
type renewal struct {
	file, before *file
	code         *code
}

// renewAll loads plugins. Before there is traffic it uses all cores; later it
// leaves one to the traffic.
func (r *reloader) renewAll(ctx context.Context, stale []renewal) {
	var work errgroup.Group
	work.SetLimit(r.abreast())
	for _, s := range stale {
		work.Go(func() error {
			version, err := r.load(ctx, s.code, s.file)
			if err != nil {
				s.file.refuse(s.before, "%s", err.Error())
			} else {
				s.file.version = version
			}
			return nil
		})
	}
	_ = work.Wait()
}

// abreast is how many plugins are loaded at the same time.
func (r *reloader) abreast() int {
	if r.busy() || r.suspicious {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// refuse says why the file as it is now does not run. What ran before goes on
// running, but grants that were taken away are gone at once.
func (f *file) refuse(before *file, format string, args ...any) {
	f.refused = fmt.Sprintf(format, args...)
	if before == nil || before.version == nil {
		return
	}
	f.version = before.version
	if permit, err := f.settings.permit(f.plugin, f.version.granted); err == nil {
		f.version.permit.Store(permit.And(f.version.permit.Load()))
	}
}

// report logs what is new about the files, and what is gone.
func (r *reloader) report(next *set) {
	before := r.current.load()
	tables := maps.Clone(r.settings)
	for _, f := range next.files {
		delete(tables, f.plugin)
		delete(tables, pluginName(f.name))
		if was := before.find(f.name, f.plugin); was != f {
			reportFile(r.log, f, was)
		}
	}
	for _, f := range before.files {
		if next.find(f.name, f.plugin) == nil && (f.version != nil || !next.has(f.name)) {
			r.log.Info("removed a plugin", "plugin", f.plugin, "file", f.name)
		}
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
