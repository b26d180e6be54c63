package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router"
	"horizon-realtime/router/auth"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/rabbit"
)

func newDoctor(o *cli.Options) *cobra.Command {
	var listen time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the brokers, Keystone and the router",
		Long: `Load the plugins, connect to every broker and to Keystone as the router would, listen
for notifications for a while, and ask a router on this machine whether it is ready. It
leaves nothing behind, and takes no messages from other consumers. Exit code 1 means that
something is wrong.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.Load()
			if err != nil {
				return err
			}
			d := &doctor{out: cmd.OutOrStdout()}
			d.ok(o.ConfigFile, "")
			d.plugins(cmd.Context(), cfg)
			d.clients(cmd.Context(), cfg)
			d.brokers(cmd.Context(), cfg, listen)
			d.router(cmd.Context(), cfg)
			if d.failures > 0 {
				return fmt.Errorf("%d of the above must be mended", d.failures)
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&listen, "listen", 5*time.Second, "how long to listen for notifications")
	return cmd
}

// doctor prints a line for each thing it looked at.
type doctor struct {
	out      io.Writer
	failures int
}

func (d *doctor) ok(what, detail string)   { d.say("ok  ", what, detail) }
func (d *doctor) note(what, detail string) { d.say("note", what, detail) }

func (d *doctor) fail(what string, why error) {
	d.failures++
	d.say("FAIL", what, why.Error())
}

func (d *doctor) say(mark, what, detail string) {
	if detail != "" {
		what += ": " + strings.ReplaceAll(detail, "\n", "; ")
	}
	fmt.Fprintf(d.out, "%s  %s\n", mark, what)
}

func (d *doctor) plugins(ctx context.Context, cfg router.Config) {
	what := "plugins in " + cfg.Plugins.Dir
	all, err := loadPlugins(ctx, cfg)
	if err != nil {
		d.fail(what, err)
		return
	}
	running := 0
	for _, s := range all {
		switch s.State {
		case plugin.Refused:
			d.fail(what, errors.New(s.Refused))
		case plugin.Disabled:
			d.note(what, s.File+" is disabled")
		default:
			running++
		}
	}
	if running == 0 {
		d.fail(what, errors.New(noPlugins))
		return
	}
	d.ok(what, fmt.Sprintf("%d would run", running))
}

// clients is about who gets in.
func (d *doctor) clients(ctx context.Context, cfg router.Config) {
	if host, _, _ := net.SplitHostPort(cfg.Server.Listen); len(cfg.Server.TrustedProxies) == 0 && net.ParseIP(host).IsLoopback() {
		d.note("[server] trusted_proxies", "is empty, though only a proxy on this machine can bring clients: all of them count as one address")
	}
	var files syscall.Rlimit
	wanted := uint64(cfg.Server.MaxConnections + cfg.Server.MaxStrangers)
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil && files.Cur < wanted {
		d.note("file descriptors", fmt.Sprintf("%d are fewer than [server] max_connections and max_strangers together: raise LimitNOFILE above %d", files.Cur, wanted))
	}
	a, err := auth.New(cfg.Auth, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		d.fail("[auth]", err)
		return
	}
	if !a.Open() {
		d.fail("[auth]", errors.New("nobody can connect: set [auth.keystone] url, a key in [auth.jwt], or [auth.anonymous] enabled"))
	}
	if cfg.Auth.Anonymous.Enabled && cfg.Auth.Anonymous.Force {
		d.note("[auth.anonymous]", "everybody who can reach the port is let in, because force is set")
	}
	if cfg.Auth.Keystone.Direct {
		d.note("[auth.keystone]", "direct is set, so that strangers can make the router ask Keystone, 20 times per second at most")
	}
	if cfg.Auth.Keystone.URL == "" {
		d.note("keystone", "none is named, so that Horizon cannot get tickets for its users; [auth.keystone] url")
	} else if err := a.Reach(ctx); err != nil {
		d.fail("keystone", err)
	} else {
		d.ok("keystone", cfg.Auth.Keystone.URL)
	}
}

func (d *doctor) brokers(ctx context.Context, cfg router.Config, listen time.Duration) {
	var clocks publisherClocks
	reports, err := rabbit.Probe(ctx, cfg.AMQP, listen, clocks.heard)
	if err != nil {
		d.fail("brokers", err)
		return
	}
	for _, r := range reports {
		what := "broker " + r.Broker
		for _, problem := range r.Problems {
			d.fail(what, problem)
		}
		if r.Host == "" {
			continue
		}
		if len(r.Bound) > 0 {
			d.ok(what, "bound to "+strings.Join(r.Bound, " "))
		}
		if len(r.Missing) > 0 {
			d.note(what, "does not have "+strings.Join(r.Missing, " ")+"; bound when they appear. If a service is there, is its control_exchange another?")
		}
		if len(r.Heard) == 0 {
			d.note(what, fmt.Sprintf("no notification within %s. If something changed in the cloud meanwhile: is [oslo_messaging_notifications] driver = messagingv2 set in the services?", listen))
			continue
		}
		var heard []string
		for _, from := range slices.Sorted(maps.Keys(r.Heard)) {
			heard = append(heard, fmt.Sprintf("%d from %s", r.Heard[from], from))
		}
		d.ok(what, "heard "+strings.Join(heard, ", "))
	}
	for _, wrong := range clocks.wrong() {
		d.note("clocks", wrong)
	}
}

// router asks the one that runs here, if one does.
func (d *doctor) router(ctx context.Context, cfg router.Config) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.Admin.Listen+"/readyz", nil)
	if err != nil {
		d.fail("[admin] listen", err)
		return
	}
	resp, err := http.DefaultClient.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		d.note("router", "none is running on "+cfg.Admin.Listen)
		return
	}
	if err != nil {
		d.fail("router", err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	answer := strings.TrimSpace(string(text))
	if resp.StatusCode != http.StatusOK {
		d.fail("router on "+cfg.Admin.Listen, errors.New("not ready: "+answer))
		return
	}
	d.ok("router on "+cfg.Admin.Listen, answer)
}
