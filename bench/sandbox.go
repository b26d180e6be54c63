package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/plugins"
	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin"
)

// contender is one way to run a plugin. run handles one notification.
type contender struct {
	name string
	run  func() error
}

// sandbox measures one call of a plugin, which looks at one field and drops the
// notification or takes three and routes a smaller object, beside the same plugin
// elsewhere.
func sandbox() ([]result, error) {
	_, n, err := instanceUpdate()
	if err != nil {
		return nil, err
	}
	var results []result
	for _, language := range []struct {
		name  string
		build func(name string) ([]byte, error)
	}{{"Go", buildGuest}, {"C", buildC}} {
		peer, err := language.build("extism")
		if err != nil {
			return nil, err
		}
		for _, guest := range []struct {
			name string
			goal float64 // ns
		}{{"drop", 150}, {"route", 500}} {
			module, err := language.build(guest.name)
			if err != nil {
				return nil, err
			}
			got, err := sandboxRows(n, guest.name, language.name, guest.goal, module, peer)
			if err != nil {
				return nil, fmt.Errorf("%s in %s: %w", guest.name, language.name, err)
			}
			results = append(results, got...)
		}
	}
	return results, nil
}

// wantedFields are what a plugin asks for.
func wantedFields(guest string, n *event.Notification) (fields []string) {
	wants := []string{"/payload/instance_id", "/payload/display_name", "/payload/state"}
	if guest == "drop" {
		wants = wants[2:]
	}
	for _, want := range wants {
		fields = append(fields, n.Get(pointer(want)).Text())
	}
	return fields
}

// sandboxRows compares a plugin, as compiled from the language, with the same one
// for Extism, which is peer.
func sandboxRows(n *event.Notification, guest, language string, goal float64, module, peer []byte) ([]result, error) {
	host, worker, err := loadPlugins(map[string][]byte{"50-" + guest + ".wasm": module})
	if err != nil {
		return nil, err
	}
	defer host.Close()
	defer worker.Close()
	free, err := newExtism(peer, guest, n, 0)
	if err != nil {
		return nil, err
	}
	defer free.close()
	bounded, err := newExtism(peer, guest, n, watchedTimeout)
	if err != nil {
		return nil, err
	}
	defer bounded.close()
	watched, err := newWatched(module, guest, n)
	if err != nil {
		return nil, err
	}
	defer watched.close()
	want := 0
	if guest == "route" {
		want = 1
	}
	native := newNative(n)
	figures, err := compare([]contender{
		{"ours", func() error { return worker.once(n, want) }},
		{"extism", free.call},
		{"bounded", bounded.call},
		{"watched", func() error { return watched.call(want) }},
		{"index", func() error { return native.fromIndex(guest) }},
		{"text", func() error { return native.fromText(guest) }},
	})
	if err != nil {
		return nil, err
	}
	ours := figures["ours"]
	plain := fmt.Sprintf("a plugin's call, %s, in %s", guest, language)
	title := func(goal string) string { return fmt.Sprintf("%s (goal %s)", plain, goal) }
	return []result{
		row(title(fmt.Sprintf("%g ns", goal)), "ns", ours, goal, "the goal"),
		row(title("1/25 = 0.04"), "ns", ours, figures["extism"], "Extism's Go SDK, no timeout, handed just the fields"),
		row(plain, "ns", ours, figures["bounded"], "Extism's Go SDK with a timeout, handed just the fields"),
		row(plain, "ns", ours, figures["watched"], "the same guest without fuel, wazero WithCloseOnContextDone"),
		row(title("6"), "ns", ours, figures["index"], "native Go on the same index, encoding/json for the output"),
		row(plain, "ns", ours, figures["text"], "native Go, encoding/json for the 3 kB message and the output"),
	}, nil
}

// compare times the contenders in turns, in ns.
func compare(contenders []contender) (map[string]float64, error) {
	rounds := map[string][]float64{}
	for range size(5, 1) {
		for _, c := range contenders {
			ns, err := timed(c.run)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			rounds[c.name] = append(rounds[c.name], ns)
		}
	}
	figures := map[string]float64{}
	for name, of := range rounds {
		figures[name] = median(of, func(ns float64) float64 { return ns })
	}
	return figures, nil
}

// timed calls run for a while in short batches, and gives the time of one call in
// the quickest of them, in ns: nothing here ever waits, so that one is what a call
// takes if nothing else runs.
func timed(run func() error) (ns float64, err error) {
	const short = 100 * time.Microsecond
	batch, best := 1, time.Duration(math.MaxInt64)
	for end := time.Now().Add(time.Duration(size(300, 5)) * time.Millisecond); time.Now().Before(end); {
		began := time.Now()
		for range batch {
			if err := run(); err != nil {
				return 0, err
			}
		}
		took := time.Since(began)
		if took < short/2 {
			batch *= 2
			best = math.MaxInt64
			continue
		}
		best = min(best, took)
	}
	return float64(best) / float64(batch), nil
}

// pluginWorker is a worker of a host, as the router's pipeline has it.
type pluginWorker struct {
	*plugin.Runner
	ctx     context.Context
	emit    func(plugin.Emission)
	emitted int
	bytes   int
}

// loadPlugins makes a host on a folder of its own with the files, all of which
// must be accepted.
func loadPlugins(files map[string][]byte) (*plugin.Host, *pluginWorker, error) {
	dir, err := os.MkdirTemp("", "bench-plugins")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	for name, module := range files {
		if err := os.WriteFile(filepath.Join(dir, name), module, 0o600); err != nil {
			return nil, nil, err
		}
	}
	return openPlugins(dir, len(files))
}

// cacheDir is where compiled guests are kept during this run.
// stockCount is how many plugins the stock set has.
const stockCount = 17

// emptyDir is a folder of plugins beside the stock set.
var emptyDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "bench-no-plugins") })

var cacheDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "bench-cache") })

// openPlugins makes a host on a folder that has so many plugins, or on the stock
// set if there is no folder.
func openPlugins(dir string, count int) (host *plugin.Host, w *pluginWorker, err error) {
	cfg := plugin.DefaultConfig()
	cfg.Dir = dir
	if dir == "" {
		if cfg.Dir, err = emptyDir(); err != nil {
			return nil, nil, err
		}
		cfg.Stock, count = plugins.Stock, stockCount
	}
	if cfg.CacheDir, err = cacheDir(); err != nil {
		return nil, nil, err
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	host, err = plugin.New(cfg, map[string]plugin.Settings{}, quiet, prometheus.NewRegistry())
	if err != nil {
		return nil, nil, err
	}
	if err := load(host, count); err != nil {
		host.Close()
		return nil, nil, err
	}
	w = &pluginWorker{Runner: host.NewRunner(), ctx: context.Background()}
	w.emit = func(e plugin.Emission) { w.emitted++; w.bytes += len(e.Payload) }
	return host, w, nil
}

// load reads the host's folder, which must have so many plugins, all running.
func load(host *plugin.Host, count int) error {
	if err := host.Load(context.Background()); err != nil {
		return err
	}
	running := 0
	for _, s := range host.Status() {
		if s.State != plugin.Running {
			return fmt.Errorf("%s is %s: %s%s", s.File, s.State, s.Reason, s.Refused)
		}
		running++
	}
	if running != count {
		return fmt.Errorf("%d of %d plugins are running", running, count)
	}
	return nil
}

// once handles a notification, which must be emitted so many times.
func (w *pluginWorker) once(n *event.Notification, emissions int) error {
	w.emitted = 0
	if o := w.Handle(w.ctx, n, w.emit); o.Called != 1 || o.Faults > 0 || w.emitted != emissions {
		return fmt.Errorf("%+v for %s", o, n.Type)
	}
	return nil
}
