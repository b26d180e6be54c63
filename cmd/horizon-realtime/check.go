package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"horizon-realtime/router"
	"horizon-realtime/router/plugin"
)

func newCheck(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Read the configuration and load the filters, and say what is wrong",
		Long: `Read the configuration, load every filter as the router would, and print what
was found. It connects to nothing. Exit code 3 says that something is wrong.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load()
			if err != nil {
				return err
			}
			return checkPlugins(cmd, o, cfg)
		},
	}
}

// checkPlugins loads the filters and prints a line for each.
func checkPlugins(cmd *cobra.Command, o *options, cfg router.Config) error {
	host, err := plugin.New(cfg.Plugins, cfg.Plugin, slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer host.Close()
	if err := host.Load(cmd.Context()); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s: ok\n", o.configFile)
	var problems []string
	for _, s := range host.Status() {
		switch s.State {
		case plugin.Refused:
			fmt.Fprintf(out, "%s: refused\n", s.File)
			problems = append(problems, s.Refused)
		case plugin.Disabled:
			fmt.Fprintf(out, "%s: disabled\n", s.File)
		default:
			fmt.Fprintf(out, "%s: ok, hears %s\n", s.File, plugin.Brief(s.On))
		}
	}
	if len(problems) > 0 {
		return &router.ConfigError{File: cfg.Plugins.Dir, Problems: problems}
	}
	if len(host.Status()) == 0 {
		fmt.Fprintf(out, "%s: no .wasm file there; `make plugins` builds the stock filters\n", cfg.Plugins.Dir)
	}
	return nil
}
