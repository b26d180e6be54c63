package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router"
	"horizon-realtime/router/plugin"
)

func newCheck(o *cli.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and the plugins, without connecting to anything",
		Long: `Read the configuration, load every plugin as the router would, and print what is
wrong. It connects to nothing. Exit code 3 means that something is wrong.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.Load()
			if err != nil {
				return err
			}
			return checkPlugins(cmd, o, cfg)
		},
	}
}

// checkPlugins loads the plugins and prints a line for each.
func checkPlugins(cmd *cobra.Command, o *cli.Options, cfg router.Config) error {
	all, err := loadPlugins(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s: ok\n", o.ConfigFile)
	var problems []string
	for _, s := range all {
		switch s.State {
		case plugin.Refused:
			fmt.Fprintf(out, "%s: refused\n", title(&s))
			problems = append(problems, s.Refused)
		case plugin.Disabled:
			fmt.Fprintf(out, "%s: disabled\n", title(&s))
		default:
			fmt.Fprintf(out, "%s: ok, hears %s\n", title(&s), plugin.Brief(s.On))
			printPermit(out, &s)
		}
	}
	if len(problems) > 0 {
		return &router.ConfigError{File: cfg.Plugins.Dir, Problems: problems}
	}
	if len(all) == 0 {
		fmt.Fprintf(out, "%s: %s\n", cfg.Plugins.Dir, noPlugins)
	}
	return nil
}

// title names a plugin: its file, and in a bundle itself.
func title(s *plugin.Status) string {
	if strings.TrimLeft(strings.TrimSuffix(s.File, ".wasm"), "0123456789-") == s.Name {
		return s.File
	}
	return s.File + " " + s.Name
}

// printPermit prints where a plugin may emit and what it may do, who says so, and
// what it asks for in vain.
func printPermit(out io.Writer, s *plugin.Status) {
	grants, topics := "none", "its name"
	if len(s.Grants) > 0 {
		grants = strings.Join(s.Grants, " ") + " (" + s.GrantsFrom + ")"
	}
	if s.TopicsFrom != "" {
		topics = plugin.Brief(s.Topics) + " (" + s.TopicsFrom + ")"
	}
	fmt.Fprintf(out, "  version: %s; grants: %s; topics: %s\n", cmp.Or(s.Version, "none"), grants, topics)
	for _, asked := range []struct {
		what  string
		names []string
	}{{"grants", s.AsksGrants}, {"topics", s.AsksTopics}} {
		if len(asked.names) > 0 {
			fmt.Fprintf(out, "  it asks for more %s; to allow that, add to [plugin.%s] %s: %s\n", asked.what, s.Name, asked.what, strings.Join(asked.names, " "))
		}
	}
}

const noPlugins = "no .wasm file there; `make plugins` builds the stock plugins"

// loadPlugins loads the plugins as the router would, and returns how each fared.
func loadPlugins(ctx context.Context, cfg router.Config) ([]plugin.Status, error) {
	host, err := plugin.New(cfg.Plugins, cfg.Plugin, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer host.Close()
	if err := host.Load(ctx); err != nil {
		return nil, err
	}
	return host.Status(), nil
}
