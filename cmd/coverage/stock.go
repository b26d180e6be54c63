package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/plugins"
	"horizon-realtime/router"
	"horizon-realtime/router/plugin"
)

// crossing are the plugins that belong to no panel: they report on all services,
// and add nothing that another plugin does not send.
var crossing = map[string]bool{"audit": true, "toast": true, "usage": true}

// stock are the stock plugins, compiled, in the router's own host, with what
// they have without a table of router.toml.
type stock struct {
	host   *plugin.Host
	worker *plugin.Runner
}

// open loads every plugin under plugins.
//
// # Errors
//
// router.toml cannot be read, or a plugin is missing or does not run.
func open(ctx context.Context, root string) (*stock, error) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	return openWith(ctx, root, quiet, func(*plugin.Config) {})
}

// openWith is open with other limits, and somebody who reads what the host logs.
func openWith(ctx context.Context, root string, log *slog.Logger, change func(*plugin.Config)) (*stock, error) {
	cfg, err := router.LoadConfig(filepath.Join(root, "router.toml"))
	if err != nil {
		return nil, err
	}
	cfg.Plugins.Dir, cfg.Plugins.Stock = filepath.Join(root, "plugins"), plugins.Stock
	change(&cfg.Plugins)
	host, err := plugin.New(cfg.Plugins, cfg.Plugin, log, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	if err := host.Load(ctx); err != nil {
		host.Close()
		return nil, err
	}
	folders, err := filepath.Glob(filepath.Join(root, "plugins/*/testdata"))
	if err != nil {
		return nil, err
	}
	running := map[string]bool{}
	for _, s := range host.Status() {
		if s.State == plugin.Running {
			running[s.Name] = true
		}
	}
	for _, folder := range folders {
		if name := filepath.Base(filepath.Dir(folder)); !running[name] {
			host.Close()
			return nil, fmt.Errorf("the plugin %s is not running from %s; build the plugins with `make plugins`", name, cfg.Plugins.Dir)
		}
	}
	return &stock{host: host, worker: host.NewRunner()}, nil
}

func (s *stock) close() {
	s.worker.Close()
	s.host.Close()
}

// asks reports whether a plugin's patterns have the event in them.
func asks(f *plugin.Status, event string) bool {
	for _, on := range f.On {
		if begin, wild := strings.CutSuffix(on, "*"); on == event || wild && strings.HasPrefix(event, begin) {
			return true
		}
	}
	return false
}
