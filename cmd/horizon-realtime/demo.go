package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/demo"
	"horizon-realtime/router"
)

// tokenTTL is how long the page's tokens live: short, so that the demo shows a
// token being refreshed.
const tokenTTL = 5 * time.Minute

// demoTaps is how many programs may tap the simulated notifications.
const demoTaps = 4

func newDemo(o *cli.Options) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a simulated cloud and a live page, without RabbitMQ or OpenStack",
		Long: `Serve a page like Horizon's instances table. A simulated cloud publishes what nova
would; decoding, plugins, hub, server and the browser's client are the real ones.
[plugins], [plugin.X], [hub], [server] and [admin] of the configuration apply, or
their defaults if there is no file.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.LoadOrDefault(cmd)
			if err != nil {
				return err
			}
			if listen != "" {
				cfg.Server.Listen = listen
			}
			return runDemo(cmd, cfg)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "where to serve the page instead of [server] listen")
	return cmd
}

func runDemo(cmd *cobra.Command, cfg router.Config) error {
	secret := make([]byte, 32)
	rand.Read(secret)
	cfg.Auth = router.DefaultConfig().Auth
	cfg.Auth.JWT.HMACSecret = hex.EncodeToString(secret)
	cfg.Admin.Taps = max(cfg.Admin.Taps, demoTaps)

	log := newLogger(cfg.Log, cmd.ErrOrStderr())
	source := &simulated{}
	source.cloud = demo.NewCloud(source.publish, demo.Options{Format: demo.Both, Log: log})
	var r *router.Router
	page := demo.Handler(source.cloud, demo.Deps{
		Mint:     demo.NewMint([]byte(cfg.Auth.JWT.HMACSecret), tokenTTL),
		Position: func() (string, uint64) { return r.Position() },
		Prefix:   cfg.Server.Prefix,
		Log:      log,
	})
	r, err := router.New(cmd.Context(), cfg, router.Parts{
		Source: source, Mount: page, Log: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "open http://%s/project/instances\n", r.Addr())
	return r.Run(cmd.Context())
}

// simulated is the simulated cloud as a source of the router.
type simulated struct {
	cloud *demo.Cloud
	take  router.Take
	owed  sync.WaitGroup
}

// Run lets the cloud live until ctx is done, then waits for what it published.
func (s *simulated) Run(ctx context.Context, take router.Take) error {
	s.take = take
	err := s.cloud.Run(ctx)
	s.owed.Wait()
	return err
}

func (s *simulated) Ready() error { return nil }

// publish is called by the cloud's Run alone.
func (s *simulated) publish(_, _ string, body []byte) error {
	s.owed.Add(1)
	s.take(body, "", settled{&s.owed})
	return nil
}

// settled ends a simulated message either way; nothing delivers it again.
type settled struct{ owed *sync.WaitGroup }

func (s settled) Ack()          { s.owed.Done() }
func (s settled) Reject(string) { s.owed.Done() }
