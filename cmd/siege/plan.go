package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"horizon-realtime/router"
	"horizon-realtime/router/plugin"
	"horizon-realtime/testplugins"
)

// plan is what a siege consists of.
type plan struct {
	root  string
	names []string
	// rate is in notifications per second. watch is how long each plugin is watched at
	// least, and the stock plugin alone before them.
	rate     int
	watch    time.Duration
	reloads  int
	rabbit   bool // through a RabbitMQ of its own
	progress io.Writer
}

// attacker is a plugin to install, and the states that its expect.txt says it may end in.
type attacker struct {
	name   string
	module []byte
	fates  []plugin.State
}

// run is the whole siege.
//
// # Errors
//
// A plugin cannot be built, or the router does not start. What the router does
// wrong is in the result.
func (p *plan) run(ctx context.Context) (*result, error) {
	began := time.Now()
	attackers, stock, err := p.build(ctx)
	if err != nil {
		return nil, err
	}
	b, err := besiege(ctx, ground{
		root: p.root, rate: p.rate, rabbit: p.rabbit, files: map[string][]byte{stockFile: stock}, heard: true, forced: true,
		configure: func(cfg *router.Config) { cfg.Auth.JWT.HMACSecret = secret },
	})
	if err != nil {
		return nil, err
	}
	defer b.stop()
	r := &result{rate: p.rate, way: "in the process"}
	if p.rabbit {
		r.way = "through RabbitMQ"
	}
	// What happens only once is not a plugin's cost.
	b.measure(new(histogram), func() error { return wait(ctx, p.watch) })
	b.kept = settledBytes()
	calm := b.kept
	r.rows = append(r.rows, b.peace(ctx, p.watch))
	for _, g := range attackers {
		fmt.Fprintf(p.progress, "%4.0fs  %s\n", time.Since(began).Seconds(), g.name)
		r.rows = append(r.rows, b.attack(ctx, g, p.watch))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	r.resident = float64(b.kept) / float64(calm)
	if p.reloads > 0 {
		fmt.Fprintf(p.progress, "%4.0fs  %d reloads\n", time.Since(began).Seconds(), p.reloads)
		if r.reloads, err = b.reload(ctx, stock, p.reloads); err != nil {
			return nil, err
		}
	}
	if err := b.stop(); err != nil {
		return nil, err
	}
	r.published, r.delivered = b.ledger.published.Load(), b.ledger.delivered.Load()
	r.doubled, r.astray = b.ledger.doubled.Load(), b.ledger.astray.Load()
	r.took = time.Since(began)
	return r, nil
}

// build makes all modules before anything is measured.
func (p *plan) build(ctx context.Context) (attackers []attacker, stock []byte, err error) {
	dir := filepath.Join(p.root, "testplugins")
	attackers = make([]attacker, len(p.names))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	work.Go(func() (err error) { stock, err = buildStock(ctx, p.root); return err })
	for i, name := range p.names {
		work.Go(func() (err error) {
			attackers[i].name = name
			if attackers[i].fates, err = fatesOf(dir, name); err == nil {
				attackers[i].module, err = testplugins.Build(dir, name)
			}
			return err
		})
	}
	return attackers, stock, work.Wait()
}

// buildStock makes the plugin behind Horizon's instances table.
func buildStock(ctx context.Context, root string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "siege")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, stockFile)
	cmd := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/siege/instances")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if message, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build cmd/siege/instances: %w\n%s", err, message)
	}
	return os.ReadFile(out)
}

// fatesOf reads the state that a plugin of testplugins must end in: after a few
// calls, unless its expect.txt has one for a running router, or two, if that depends
// on the machine.
func fatesOf(dir, name string) (fates []plugin.State, err error) {
	text, err := os.ReadFile(filepath.Join(dir, name, "expect.txt"))
	if err != nil {
		return nil, fmt.Errorf("read what must become of a plugin: %w", err)
	}
	for _, before := range []string{"# In a running router: ", "state: "} {
		for line := range strings.Lines(string(text)) {
			if state, ok := strings.CutPrefix(line, before); ok {
				for one := range strings.SplitSeq(strings.TrimSpace(state), " or ") {
					fates = append(fates, plugin.State(one))
				}
				return fates, nil
			}
		}
	}
	return nil, fmt.Errorf("%s/expect.txt names no state", name)
}
