package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"horizon-realtime/router/plugin/compile"
	"horizon-realtime/router/plugin/guest"
)

// loader makes code of files, and versions of code.
type loader struct {
	cfg      Config
	log      *slog.Logger
	keys     keyring
	stock    *stock
	compiler *compile.Compiler
	attempts *attempts
	versions *versions
	records  *records
	now      func() time.Time
	// busy reports whether there is traffic that loading must leave room for.
	busy func() bool
}

// load makes a version of one plugin of a file: it starts a first instance, and
// runs the plugin's own tests.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func (l *loader) load(ctx context.Context, c *code, f *file) (*version, error) {
	end, err := l.attempts.begin(c.digest, f.name)
	if err != nil {
		return nil, err
	}
	defer end()
	v, err := l.describe(f)
	if err != nil {
		return nil, err
	}
	v.code = c.hold()
	if err := l.try(ctx, v, f.settings); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// describe makes a version that has only what the configuration says about it.
func (l *loader) describe(f *file) (*version, error) {
	v := &version{Name: f.plugin, title: f.title(), loaded: l.now(), limits: l.cfg.limitsFor(f.settings), health: newHealth(l.cfg)}
	if f.settings.SlowPerSecond > 0 {
		v.health.slow = f.settings.SlowPerSecond
	}
	config, err := configJSON(f.settings.Config)
	if err != nil {
		return nil, fmt.Errorf("its config: %w", err)
	}
	v.record = l.records.of(v.Name)
	v.env = guest.Env{
		Name: v.Name, Config: config, Store: v.record.store, Log: v.record.log, Number: f.number, Limits: &v.limits,
	}
	return v, nil
}

// try starts the first instance, and runs the plugin's own tests.
func (l *loader) try(ctx context.Context, v *version, settings Settings) error {
	in, err := v.start()
	if err != nil {
		return err
	}
	v.sub = *in.Subscription()
	v.snapshot = in.Snapshot()
	v.spare.Store(in)
	if v.code.stock {
		v.granted = asks{v.sub.Grants, v.sub.Topics}
	}
	permit, err := settings.permit(v.Name, v.granted)
	if err != nil {
		return err
	}
	v.permit.Store(permit)
	return selfTests(ctx, l.cfg, v)
}
