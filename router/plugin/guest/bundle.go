package guest

import (
	"slices"
	"strings"

	"horizon-realtime/sdk/abi"
)

const (
	// MaxBundle bounds how many plugins a module may carry.
	MaxBundle = 64
	// maxNameBytes bounds the name of each.
	maxNameBytes = 64
)

// Plugins returns the names of the plugins that the module carries, or nil if it
// is one plugin, named as its file is. It asks an instance that is then closed.
//
// # Errors
//
// Always a *Fault: those of Start, or the names are none.
func (m *Module) Plugins(env *Env) ([]string, error) {
	if !m.image.Bundles {
		return nil, nil
	}
	in := m.prepare(env)
	defer in.Close()
	if err := in.boot(); err != nil {
		return nil, err
	}
	if err := in.run(abi.Plugins); err != nil {
		return nil, err
	}
	return in.names(in.stack[0])
}

// names reads what hr_plugins returned.
func (in *Instance) names(answer uint64) ([]string, error) {
	if answer == 0 {
		return nil, nil
	}
	text, ok := in.mem.Read(uint32(answer>>32), uint32(answer))
	if !ok {
		return nil, Faultf(BadResult, "%s returned a text past the end of its memory; return one within it", abi.Plugins)
	}
	if len(text) > MaxBundle*(maxNameBytes+1) {
		return nil, Faultf(BadResult, "%s returned %d bytes; it may name %d plugins in %d bytes each", abi.Plugins, len(text), MaxBundle, maxNameBytes)
	}
	names := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(names) > MaxBundle {
		return nil, Faultf(BadResult, "it carries %d plugins, over the limit of %d; split it", len(names), MaxBundle)
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, Faultf(BadResult, "it carries two plugins called %.80q; rename one", name)
		}
	}
	return names, nil
}
