package plugin

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// source is a file of the folder during a reload: one plugin, or a bundle of
// several.
type source struct {
	found
	settings Settings
	// before is what the current set has of the file.
	before []*file
	// stale says that the file has to be opened. Then either code is what became of
	// it, or refused says why nothing did.
	stale   bool
	code    *code
	refused string
	barred  *barred
}

// sources compares what was found with the current set.
func (r *reloader) sources(found []found) []*source {
	sources := make([]*source, len(found))
	for i, entry := range found {
		s := &source{found: entry, settings: r.settings[pluginName(entry.name)]}
		for _, f := range r.current.load().files {
			if f.name == entry.name {
				s.before = append(s.before, f)
			}
		}
		s.stale = i < r.cfg.MaxPlugins && validName(pluginName(entry.name)) && !s.settings.disabled() && !s.same(r.settings)
		sources[i] = s
	}
	return sources
}

// same reports whether nothing has to be opened: each plugin of the file is what it
// was, or can be made of code that is in use.
func (s *source) same(settings map[string]Settings) bool {
	if len(s.before) == 0 || s.before[0].stamp != s.stamp {
		return false
	}
	all := true
	for _, f := range s.files(settings) {
		all = all && (f.settings.disabled() || s.find(f.plugin).same(f))
	}
	for _, f := range s.before {
		if !all && f.current() {
			s.code = f.version.code.hold()
			return true
		}
	}
	return all
}

// same reports whether f, which is as a file is now, has become of it already. Of one
// that is barred only looking again can say.
func (f *file) same(now *file) bool {
	return f.stamp == now.stamp && (f.barred == nil) == (now.barred == nil) && f.number == now.number && !f.disabled && !f.crowded && reflect.DeepEqual(f.settings, now.settings)
}

// find returns what a plugin of the file was before, nil for nothing.
func (s *source) find(plugin string) *file {
	for _, f := range s.before {
		if f.plugin == plugin {
			return f
		}
	}
	return nil
}

// files are the plugins of the file, as far as they are known: of a file that
// cannot be opened, those that ran before.
func (s *source) files(settings map[string]Settings) (files []*file) {
	var names []string
	switch {
	case s.settings.disabled():
	case s.code != nil:
		names = s.code.names
	default:
		for _, f := range s.before {
			if f.number > 0 {
				names = append(names, f.plugin)
			}
		}
	}
	for i, name := range names {
		files = append(files, &file{name: s.name, stamp: s.stamp, plugin: name, number: i + 1, settings: settings[name], refused: s.refused, barred: s.barred})
	}
	if files == nil {
		files = []*file{{name: s.name, stamp: s.stamp, plugin: pluginName(s.name), settings: s.settings, refused: s.refused, barred: s.barred}}
	}
	return files
}

// openAll opens the stale files. Before there is traffic it uses all cores, as
// neither files nor the goroutines that compile one of them share anything. Later
// it opens one file at a time and leaves a core to the traffic, which would
// otherwise queue behind the compiler at every step.
func (r *reloader) openAll(ctx context.Context, sources []*source) {
	stale := slices.DeleteFunc(slices.Clone(sources), func(s *source) bool { return !s.stale })
	if len(stale) == 0 {
		return
	}
	r.log.Info("loading plugins; those that are new to the cache are compiled first", "files", len(stale))
	cores, abreast := runtime.GOMAXPROCS(0), r.abreast()
	if r.busy() {
		cores = max(cores-1, 1)
	}
	var work errgroup.Group
	work.SetLimit(abreast)
	for i, s := range stale {
		compilers := max(cores/min(len(stale)-i, abreast), 1)
		work.Go(func() error {
			var err error
			if s.code, err = r.open(ctx, s.found, r.cfg.limitsFor(s.settings), compilers); err != nil {
				s.refused = err.Error()
				_ = errors.As(err, &s.barred)
			}
			return nil
		})
	}
	_ = work.Wait()
}
