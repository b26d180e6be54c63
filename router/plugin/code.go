package plugin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync/atomic"

	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin/compile"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/sdk/abi"
)

// code is a file's compiled module, which all plugins in it share. Each version
// holds it, and so does a reload while it is at work; the last one to let go
// closes it.
type code struct {
	*guest.Module
	digest [sha256.Size]byte
	// label is what the module says it is.
	label label.Label
	// names are the plugins of a bundle, nil if the module is one plugin.
	names []string
	// stock says that it is the stock set that the program carries.
	stock bool
	// selfTests is the text of its own tests, nil for none.
	selfTests []byte
	holds     atomic.Int64
}

func (c *code) hold() *code {
	c.holds.Add(1)
	return c
}

func (c *code) release() {
	if c.holds.Add(-1) == 0 {
		c.Close()
	}
}

// open makes code of a file: it reads, verifies and compiles it, and asks for the
// plugins in it. So many goroutines compile. The caller holds what it returns.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func (l *loader) open(ctx context.Context, file found, limits guest.Limits, compilers int) (*code, error) {
	module, name, err := l.read(file)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(module)
	end, err := l.attempts.begin(digest, file.name)
	if err != nil {
		return nil, err
	}
	defer end()
	c := &code{digest: digest, label: name, stock: l.stock.is(file.name, module), selfTests: bytes.Clone(fuel.Custom(module, abi.SelfTests))}
	options := guest.Options{Name: pluginName(file.name), Limits: limits, Compilers: compilers}
	if c.Module, err = l.compiler.Load(ctx, compile.Module{File: file.name, Code: module, Digest: c.digest, Gentle: l.busy(), Options: options}); err != nil {
		return nil, err
	}
	c.hold()
	if l.stock != nil && file.name == StockFile && !c.stock {
		l.log.Warn("the folder has a stock set that is not the program's; remove the file to use the program's", "file", file.name,
			"error", "its plugins have only what their tables in router.toml grant")
	}
	apart := newRecord(l.cfg, slog.New(slog.DiscardHandler))
	if c.names, err = c.Plugins(&guest.Env{Name: options.Name, Config: []byte("{}"), Store: apart.store, Log: apart.log}); err != nil {
		c.release()
		return nil, fmt.Errorf("ask which plugins are in it: %w", err)
	}
	return c, nil
}

// read returns a file's module and what it says it is, once its signature is verified
// if it has to be.
func (l *loader) read(file found) (module []byte, name label.Label, err error) {
	path := folder(l.cfg.Dir).path(file.name)
	if file.module != nil {
		module = file.module()
	} else if module, err = readModule(path, l.cfg.MaxModuleBytes); err != nil {
		return nil, name, err
	}
	name, err = identify(file.name, module)
	if err != nil || !l.cfg.RequireSignature || l.stock.is(file.name, module) {
		return module, name, err
	}
	if err := l.keys.verify(path, name, module); err != nil {
		return nil, name, err
	}
	return module, name, l.versions.check(name)
}
