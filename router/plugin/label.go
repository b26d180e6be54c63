package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/regular"
)

// identify makes sure that a file is what its name says: a module that carries another
// plugin's name would run with that one's grants.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func identify(file string, module []byte) (label.Label, error) {
	l, err := label.Of(module)
	if err != nil {
		return l, err
	}
	if l.Name != "" && l.Name != pluginName(file) {
		return l, fmt.Errorf("it is the plugin %s, version %s, under another name; call the file NN-%s.wasm", l.Name, l.Version, l.Name)
	}
	return l, nil
}

var errUnlabelled = errors.New("it carries no name and version, which its signature has to cover; build it with `horizon-realtime plugin build`, or " +
	"`horizon-realtime plugin label` the file, and sign it again")

// versions are the newest ones that have run here, by the name of the file's plugin. It
// is safe for concurrent use.
type versions struct {
	// dir has a file for each; if it is empty, they are forgotten with the process.
	dir string

	mu     sync.Mutex
	newest map[string]string
}

func newVersions(dir string) *versions {
	return &versions{dir: dir, newest: make(map[string]string)}
}

func (v *versions) path(name string) string { return filepath.Join(v.dir, name) }

// last is the newest version that has run, empty for none.
func (v *versions) last(name string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dir == "" {
		return v.newest[name], nil
	}
	text, err := regular.Read(v.path(name), regular.Most)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// check refuses a version that is older than one that has run.
func (v *versions) check(l label.Label) error {
	last, err := v.last(l.Name)
	if err != nil {
		return fmt.Errorf("see which version of it ran last: %w", err)
	}
	if !label.Older(l.Version, last) {
		return nil
	}
	text := fmt.Sprintf("it is version %s, and %s has run here; install a newer one", l.Version, last)
	if v.dir == "" {
		return errors.New(text + ", or restart the router to go back on purpose")
	}
	return &barred{by: v.path(l.Name), text: text + ", or remove " + v.path(l.Name) + " to go back on purpose"}
}

// remember notes down a version that runs.
func (v *versions) remember(l label.Label) error {
	if last, err := v.last(l.Name); err != nil || !label.Older(last, l.Version) {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dir == "" {
		v.newest[l.Name] = l.Version
		return nil
	}
	part := v.path("." + l.Name)
	if err := os.WriteFile(part, []byte(l.Version+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(part, v.path(l.Name))
}
