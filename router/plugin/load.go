package plugin

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"horizon-realtime/router/plugin/guest"
)

// loader makes versions of files.
type loader struct {
	cfg      Config
	log      *slog.Logger
	keys     keyring
	cacheDir string
	records  *records
	now      func() time.Time
}

// load makes a version of a file: it reads, verifies and compiles it, starts a
// first instance, and runs the plugin's own tests. So many goroutines compile.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func (l *loader) load(ctx context.Context, name string, settings Settings, compilers int) (*version, error) {
	path := folder(l.cfg.Dir).path(name)
	code, err := readModule(path, l.cfg.MaxModuleBytes)
	if err != nil {
		return nil, err
	}
	if l.cfg.RequireSignature {
		if err := l.keys.verify(path, code); err != nil {
			return nil, err
		}
	}
	v, err := l.describe(name, settings)
	if err != nil {
		return nil, err
	}
	v.digest = sha256.Sum256(code)
	v.module, err = guest.Compile(ctx, code, guest.Options{Name: v.Name, Limits: v.limits, CacheDir: l.cacheDir, Compilers: compilers})
	if err != nil {
		return nil, err
	}
	if v.module.CacheError != nil {
		l.log.Warn("compiled a plugin without the cache; empty the cache", "plugin", v.Name, "cache", l.cacheDir, "error", v.module.CacheError)
	}
	if err := l.try(ctx, v, code); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// describe makes a version that has only what the configuration says about it.
func (l *loader) describe(name string, settings Settings) (*version, error) {
	v := &version{Name: pluginName(name), File: name, loaded: l.now(), limits: l.cfg.limitsFor(settings), health: newHealth(l.cfg)}
	if settings.SlowPerSecond > 0 {
		v.health.slow = settings.SlowPerSecond
	}
	permit, err := settings.permit(v.Name)
	if err != nil {
		return nil, err
	}
	v.permit.Store(permit)
	config, err := configJSON(settings.Config)
	if err != nil {
		return nil, fmt.Errorf("its config: %w", err)
	}
	v.record = l.records.of(v.Name)
	v.env = guest.Env{Name: v.Name, Config: config, Store: v.record.store, Log: v.record.log}
	return v, nil
}

// try starts the first instance, and runs the plugin's own tests.
func (l *loader) try(ctx context.Context, v *version, code []byte) error {
	in, err := v.start()
	if err != nil {
		return err
	}
	v.sub = *in.Subscription()
	v.snapshot = in.Snapshot()
	v.spare.Store(in)
	return selfTests(ctx, l.cfg, v, code)
}
