// Package router connects the stages and owns every long-lived goroutine: a
// source hands in messages, workers take them through the plugins to the hub, and
// the hub's shards write to the server's sessions.
//
// In: a Config and a source (RabbitMQ for `run`, a simulated cloud for `demo`).
// Out: what the server sends to browsers and the admin listener shows to
// operators. Caller: the command line.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/server"
)

// Router is the whole program without its command line. Make one with New, and
// run it once.
type Router struct {
	cfg      Config
	log      *slog.Logger
	source   Source
	pipeline *pipeline
	hub      *hub.Hub
	host     *plugin.Host
	auth     *auth.Authenticator
	server   *server.Server
	admin    *admin.Server
	draining atomic.Bool
}

// Parts are what a Router is given beside its configuration.
type Parts struct {
	// Source is where messages come from.
	Source Source
	// Mount, which may be nil, serves everything outside of [server] prefix.
	Mount http.Handler
	Log   *slog.Logger
	// Registry is what the metrics are registered on, and served from.
	Registry *prometheus.Registry
}

// New builds a router, loads its plugins and opens its listeners, so that mistakes
// show before anything runs.
//
// # Errors
//
// A plugin folder that cannot be read, a port that is taken, keys that cannot be
// loaded. A plugin that is refused is no error: it is logged and shown in its
// status.
func New(ctx context.Context, cfg Config, parts Parts) (_ *Router, err error) {
	log, reg := parts.Log, parts.Registry
	registerRuntime(reg)
	r := &Router{cfg: cfg, log: log, source: parts.Source}
	if r.host, err = plugin.New(cfg.Plugins, cfg.Plugin, log, reg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.host.Close()
		}
	}()
	if err = r.host.Load(ctx); err != nil {
		return nil, err
	}
	cfg.Auth.TrustedProxies = cfg.Server.TrustedProxies
	if r.auth, err = auth.New(cfg.Auth, log, reg); err != nil {
		return nil, err
	}
	r.hub = hub.New(cfg.Hub, log, reg)
	plugins := admin.Plugins{Status: func() any { return r.host.Status() }, Release: r.host.Release}
	if r.admin, err = admin.New(cfg.Admin, reg, plugins, log); err != nil {
		return nil, err
	}
	if r.server, err = server.New(cfg.Server, r.hub, r.auth, server.Options{
		Mount: parts.Mount, Ticket: r.auth.TicketHandler(r.hub.Position), Log: log, Registerer: reg,
	}); err != nil {
		r.admin.Close()
		return nil, err
	}
	tap := admin.NewTap(cfg.Admin, reg)
	r.admin.Handle("GET /api/notifications", tap)
	r.pipeline = newPipeline(cfg, stages{r.host, r.hub, tap, r.revoke}, log, reg)
	r.admin.Require(
		admin.Check{Name: "shutting down", Ready: r.notDraining},
		admin.Check{Name: "source", Ready: parts.Source.Ready},
		admin.Check{Name: "plugins", Ready: r.pluginsRunning},
	)
	return r, nil
}

// Run runs the router until ctx is done or a part of it fails. Then it stops in
// order: it takes no new messages, finishes and acknowledges those it has, and tells
// clients to come back. It returns when everything it started has stopped.
//
// # Errors
//
// Why a part failed; nil after a stop by ctx.
func (r *Router) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	floor, stopFloor := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFloor()

	var edges, pipeline, source sync.WaitGroup
	start := func(wg *sync.WaitGroup, what string, run func() error) {
		wg.Go(func() {
			if err := run(); err != nil && !errors.Is(err, context.Canceled) {
				fail(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	start(&edges, "admin", func() error { return r.admin.Run(floor) })
	start(&edges, "hub", func() error { return r.hub.Run(floor) })
	start(&edges, "server", func() error { return r.server.Run(floor) })
	start(&edges, "plugins", func() error { return r.host.Run(floor) })
	start(&edges, "auth", func() error { return r.auth.Run(floor) })
	start(&pipeline, "pipeline", func() error { r.pipeline.run(floor); return nil })
	start(&source, "source", func() error { return r.source.Run(ctx, r.pipeline.submit) })
	r.log.Info("running", "clients", r.server.Addr().String(), "admin", r.admin.Addr().String())

	<-ctx.Done()
	r.draining.Store(true)
	r.log.Info("draining", "at most", r.cfg.Router.DrainTimeout)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Router.DrainTimeout)
	defer cancel()
	context.AfterFunc(deadline, stopFloor)
	source.Wait()
	r.pipeline.stop()
	pipeline.Wait()
	r.server.Drain(deadline)
	stopFloor()
	edges.Wait()
	if err := r.hub.Save(); err != nil {
		r.log.Warn("clients will not recover from the next router", "error", err)
	}
	r.host.Close()
	r.log.Info("stopped")
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// Addr is where the client endpoints listen.
func (r *Router) Addr() string { return r.server.Addr().String() }

// AdminAddr is where the operator's endpoints listen.
func (r *Router) AdminAddr() string { return r.admin.Addr().String() }

// Position is the hub's epoch and latest offset: what a page that is rendered
// now recovers from.
func (r *Router) Position() (epoch string, offset uint64) { return r.hub.Position() }

// Reload applies what can change while running: the [plugin.X] tables.
//
// # Errors
//
// A table that is wrong, in which case nothing changes.
func (r *Router) Reload(ctx context.Context, cfg Config) error {
	return r.host.Reconfigure(ctx, cfg.Plugin)
}

// pluginsRunning is the readiness check that any plugin runs. One that is refused
// or quarantined is for an operator to mend, but no reason to stop using the router.
func (r *Router) pluginsRunning() error {
	for _, s := range r.host.Status() {
		if s.State == plugin.Running || s.State == plugin.Paused {
			return nil
		}
	}
	return fmt.Errorf("no plugin is running from %s; see /api/plugins", r.cfg.Plugins.Dir)
}

// revoke has the clients that a notification is about prove again who they are.
func (r *Router) revoke(n *event.Notification) {
	if revocation, ok := r.auth.Revocation(n); ok {
		r.server.Revalidate(revocation.Matches, revocation.At)
	}
}

func (r *Router) notDraining() error {
	if r.draining.Load() {
		return errors.New("yes, this process was told to stop")
	}
	return nil
}
