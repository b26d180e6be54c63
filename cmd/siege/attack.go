package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"horizon-realtime/router/plugin"
)

// row is what one plugin did to the others.
type row struct {
	name string
	// sees is what the operator reads about the plugin, in the log and at
	// /api/plugins; wrong is what is not as it must be.
	sees  string
	wrong error
	// verdict is how long it took from the file's arrival until its fate was sealed.
	verdict time.Duration
	cost
	// resident is the process's memory afterwards, relative to just before.
	resident float64
}

// peace is the row of the stock plugin alone.
func (b *besieged) peace(ctx context.Context, watch time.Duration) row {
	r := row{name: "none of them", sees: "running"}
	r.cost, r.wrong = b.measure(new(histogram), func() error { return wait(ctx, watch) })
	r.resident = b.grown()
	return r
}

// grown is the process's memory, relative to when it was measured last.
func (b *besieged) grown() float64 {
	before := b.kept
	b.kept = settledBytes()
	return float64(b.kept) / float64(before)
}

// attack installs a plugin, waits for its fate while traffic goes on, and removes it
// again.
func (b *besieged) attack(ctx context.Context, g attacker, watch time.Duration) row {
	r := row{name: g.name}
	file := "10-" + g.name + ".wasm"
	r.cost, r.wrong = b.measure(new(histogram), func() error {
		began := time.Now()
		if err := b.install(file, g.module); err != nil {
			return err
		}
		ends := func(s plugin.Status, ok bool) bool {
			return ok && slices.Contains(g.fates, s.State) && (s.State != plugin.Running || s.Calls > 0)
		}
		_, err := b.until(ctx, file, ends)
		if err != nil {
			return fmt.Errorf("%s: %w, and must be %s", g.name, err, g.fates)
		}
		r.verdict = time.Since(began)
		if err := wait(ctx, watch-r.verdict); err != nil {
			return err
		}
		s, err := b.until(ctx, file, ends)
		if err != nil {
			return fmt.Errorf("%s: %w, and must be %s", g.name, err, g.fates)
		}
		if r.sees, err = b.sees(s); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(b.dir, file)); err != nil {
			return err
		}
		_, err = b.until(ctx, file, func(_ plugin.Status, ok bool) bool { return !ok })
		return err
	})
	r.resident = b.grown()
	return r
}

// sees is what an operator reads about a plugin.
//
// # Errors
//
// The log and /api/plugins say different things, or a running plugin was not
// called.
func (b *besieged) sees(s plugin.Status) (string, error) {
	if s.State == plugin.Running {
		if s.Calls == 0 {
			return "", fmt.Errorf("%s: it runs, but was never called", s.Name)
		}
		return fmt.Sprintf("%s: %d calls, %d faults", s.State, s.Calls, s.Faults), nil
	}
	if s.State == plugin.Paused { // for a project, which is no error
		return string(s.State) + ": " + s.Reason, nil
	}
	if logged := b.log.about(s.Name); logged != s.Reason {
		return "", fmt.Errorf("%s: /api/plugins says %q, the log %q", s.Name, s.Reason, logged)
	}
	return string(s.State) + ": " + s.Reason, nil
}
