package plugintool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin"
	"horizon-realtime/sdk/sdktest"
)

// Setup is the configuration of the router that a plugin is tried for.
type Setup struct {
	// Plugins are the limits in [plugins].
	Plugins plugin.Config
	// Tables are the [plugin.X] tables. The plugin's own applies.
	Tables map[string]plugin.Settings
	// Plugin is which plugin of a bundle is tried. It may be empty if the module is
	// one plugin.
	Plugin string
	// whole has all plugins of a bundle loaded.
	whole bool
	// Signed has the signature checked if Plugins.RequireSignature asks for one.
	// A module that has just been built has none yet.
	Signed bool
}

// Trial is one plugin in a plugin host of its own. It is not safe for
// concurrent use.
type Trial struct {
	dir      string
	host     *plugin.Host
	worker   *plugin.Runner
	judge    auth.Judge
	registry *prometheus.Registry
	notes    *notes
	// name is the plugin's.
	name string
	// started is what the plugin logged while it started.
	started []Line
}

// Refusal says why a router would not load the plugin.
type Refusal struct {
	// Reason is what the router says.
	Reason string
	// Said is what the plugin logged before.
	Said []Line
}

func (r *Refusal) Error() string {
	text := r.Reason
	for _, line := range r.Said {
		if strings.Contains(r.Reason, line.Text) {
			continue
		}
		text += "\nit said: " + line.Text
	}
	return text
}

// Line is one line that a plugin logged.
type Line struct {
	Level slog.Level `json:"level"`
	Text  string     `json:"text"`
}

// Answer is what a plugin made of one notification.
type Answer struct {
	// Called reports whether the plugin asked for this event type.
	Called    bool       `json:"called"`
	Emissions []Emission `json:"emissions"`
	// Dropped is how many emissions are missing: too long ones, and JSON that readers take
	// differently. The log says why.
	Dropped int `json:"dropped,omitempty"`
	// Stopped says that later plugins would not see the notification.
	Stopped bool `json:"stopped,omitempty"`
	// Fault says why the call failed, empty if it did not. A failed call's
	// emissions do not count.
	Fault string `json:"fault,omitempty"`
	Log   []Line `json:"log,omitempty"`
}

// Emission is what a plugin wants published, and why the router would refuse it,
// if it would.
type Emission struct {
	sdktest.Emission
	Refused string `json:"refused,omitempty"`
}

// loadTrial starts the plugin in a file, under the file's own name or, if as is
// not empty, under that one.
//
// # Errors
//
// A *Refusal if the router would refuse it; otherwise the file or the
// configuration cannot be read.
func loadTrial(ctx context.Context, file, as string, setup Setup) (*Trial, error) {
	if as == "" {
		as = filepath.Base(file)
	}
	if !strings.HasSuffix(as, ".wasm") {
		return nil, fmt.Errorf("%s: a router loads files whose names end in .wasm; rename it", file)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", file, err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("look at the plugin: %w", err)
	}
	t := &Trial{registry: prometheus.NewRegistry(), notes: &notes{}}
	if err := t.load(ctx, path, as, setup); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// load makes a folder with links to the plugin and its signature, and a host for
// that folder.
func (t *Trial) load(ctx context.Context, path, as string, setup Setup) (err error) {
	if t.dir, err = os.MkdirTemp("", "horizon-realtime-plugin-"); err != nil {
		return fmt.Errorf("make a folder to try the plugin in: %w", err)
	}
	for _, ending := range []string{"", ".sig"} {
		if err := os.Symlink(path+ending, filepath.Join(t.dir, as+ending)); err != nil {
			return fmt.Errorf("put the plugin into a folder to try it in: %w", err)
		}
	}
	if t.host, err = plugin.New(setup.config(t.dir, as), setup.Tables, slog.New(handler{notes: t.notes}), t.registry); err != nil {
		return err
	}
	if err := t.host.Load(ctx); err != nil {
		return err
	}
	if err := t.choose(ctx, as, setup); err != nil {
		return err
	}
	t.started = t.notes.take()
	t.worker = t.host.NewRunner()
	return nil
}

// choose finds the plugin that is tried among those of the file, and switches the
// others off.
func (t *Trial) choose(ctx context.Context, as string, setup Setup) error {
	all := t.host.Status()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	at := slices.Index(names, setup.Plugin)
	if len(all) == 1 && (setup.Plugin == "" || all[0].Refused != "") {
		at = 0
	}
	if setup.whole {
		at = max(slices.IndexFunc(all, func(s plugin.Status) bool { return s.Refused == "" && s.State != plugin.Disabled }), 0)
	}
	if at < 0 {
		if setup.Plugin == "" {
			return cli.Mistake("%s carries several plugins; name one with --plugin: %s", as, strings.Join(names, " "))
		}
		return cli.Mistake("--plugin %s: %s carries %s", setup.Plugin, as, strings.Join(names, " "))
	}
	t.name = names[at]
	status := &all[at]
	if status.State == plugin.Disabled {
		return errors.New(status.Reason + "; enable it to try it")
	}
	if status.Refused != "" {
		return &Refusal{status.Refused, t.notes.take()}
	}
	if len(all) == 1 || setup.whole {
		return nil
	}
	return t.host.Reconfigure(ctx, setup.only(t.name, names))
}

// only are the tables with all plugins but one switched off.
func (s Setup) only(one string, names []string) map[string]plugin.Settings {
	tables := maps.Clone(s.Tables)
	if tables == nil {
		tables = make(map[string]plugin.Settings)
	}
	for _, name := range names {
		if name != one {
			tables[name] = plugin.Settings{Enabled: new(bool)}
		}
	}
	return tables
}

// name is the plugin's if it is in that file.
func (s Setup) name(file string) string { return cmp.Or(s.Plugin, nameOf(file)) }

// config is the router's, except for what would get in the way of a trial: the
// log takes everything, nothing has to be signed unless Signed says so, and the
// stock set is not there unless it is what is tried.
func (s Setup) config(dir, as string) plugin.Config {
	c := s.Plugins
	c.Dir, c.Workers = dir, 1
	c.LogLinesPerSecond, c.LogBytesPerSecond = 1<<20, 1<<30
	c.EmissionsPerSecond, c.EmissionsPerSecondAndProject = 1<<30, 1<<30
	c.RequireSignature = c.RequireSignature && s.Signed
	if as != plugin.StockFile {
		c.Stock = nil
	}
	return c
}

// Status is the router's own account of the plugin.
func (t *Trial) Status() plugin.Status {
	all := t.host.Status()
	return all[max(slices.IndexFunc(all, func(s plugin.Status) bool { return s.Name == t.name }), 0)]
}

// Send gives the plugin one notification, and judges what it emits as the router
// would.
func (t *Trial) Send(ctx context.Context, n *event.Notification) Answer {
	a := Answer{Emissions: []Emission{}}
	outcome := t.worker.Handle(ctx, n, func(e plugin.Emission) {
		emission := Emission{Emission: sdktest.Emission{
			Channel: string(e.Channel), Key: string(e.Key), Removed: e.Removed, Payload: append([]byte(nil), e.Payload...),
		}}
		if _, err := t.judge.Verdict(e.Permit, n, e.Channel); err != nil {
			emission.Refused = err.Error()
		}
		a.Emissions = append(a.Emissions, emission)
	})
	a.Called = outcome.Called+outcome.Faults+outcome.Skipped > 0
	a.Stopped, a.Dropped = outcome.Stopped, outcome.Dropped
	if outcome.Faults > 0 {
		a.Fault = t.notes.fault
		_ = t.host.Release(t.Status().Name) // it is loaded
	}
	a.Log = t.notes.take()
	return a
}

// fuel is how much fuel all calls together have taken, in units.
func (t *Trial) fuel() (float64, error) {
	families, err := t.registry.Gather()
	if err != nil {
		return 0, fmt.Errorf("read the plugin host's metrics: %w", err)
	}
	for _, family := range families {
		if family.GetName() == "horizon_realtime_plugin_fuel_total" {
			return family.GetMetric()[0].GetCounter().GetValue(), nil
		}
	}
	return 0, errors.New("the plugin host counts no fuel")
}

// Close stops the plugin and removes what loadTrial made.
func (t *Trial) Close() {
	if t.worker != nil {
		t.worker.Close()
	}
	if t.host != nil {
		t.host.Close()
	}
	if t.dir != "" {
		os.RemoveAll(t.dir)
	}
}

// notes are what the plugin logged, and what the host logged about it.
type notes struct {
	said  []Line
	fault string
}

// take returns the lines that the plugin logged since the last take.
func (n *notes) take() []Line {
	said := n.said
	n.said = nil
	return said
}

// handler is the slog.Handler that fills notes. What the plugin says comes
// through a logger made for it, with its name; the host's own errors are in the
// attribute error.
type handler struct {
	notes  *notes
	plugin bool
}

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) WithGroup(string) slog.Handler { return h }

func (h handler) WithAttrs([]slog.Attr) slog.Handler { return handler{h.notes, true} }

func (h handler) Handle(_ context.Context, r slog.Record) error {
	failed := ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			failed = a.Value.String()
		}
		return true
	})
	if failed != "" {
		h.notes.fault = failed
	} else if h.plugin {
		h.notes.said = append(h.notes.said, Line{r.Level, r.Message})
	}
	return nil
}
