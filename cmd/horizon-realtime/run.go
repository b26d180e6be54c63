package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router"
)

func newRun(o *cli.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run the router",
		Long: `Run the router until SIGTERM or SIGINT, then drain: readiness fails, consuming
stops, what was taken is finished and acknowledged, clients are told to come back.
A second signal ends it at once. SIGHUP reads the [plugin.X] tables again.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.Load()
			if err != nil {
				return err
			}
			if len(cfg.AMQP.URLs)+len(cfg.AMQP.Brokers) == 0 && cfg.AMQP.URLFile == "" {
				return &router.ConfigError{File: o.ConfigFile, Problems: []string{
					"[amqp] urls: no broker is named; set urls, url_file or [[amqp.broker]], or see it work without one: horizon-realtime demo"}}
			}
			log := newLogger(cfg.Log, cmd.ErrOrStderr())
			tuneProcess(log)
			registry := prometheus.NewRegistry()
			source, err := router.NewRabbit(cfg, log, registry)
			if err != nil {
				return err
			}
			r, err := router.New(cmd.Context(), cfg, router.Parts{Source: source, Log: log, Registry: registry})
			if err != nil {
				return err
			}
			return runReloading(cmd.Context(), o, r, log)
		},
	}
}

// runReloading runs r, and applies the configuration file again at each SIGHUP.
// A file with a mistake in it changes nothing.
func runReloading(ctx context.Context, o *cli.Options, r *router.Router, log *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for {
		select {
		case err := <-done:
			return err
		case <-hup:
			cfg, err := o.Load()
			if err == nil {
				err = r.Reload(ctx, cfg)
			}
			if err != nil {
				log.Error("kept the old configuration", "error", err)
				continue
			}
			log.Info("applied the [plugin.X] tables again", "file", o.ConfigFile)
		}
	}
}

// newLogger builds the logger that [log] asks for.
func newLogger(cfg router.LogConfig, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
