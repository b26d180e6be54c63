package guest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

// Options say how a module is compiled and loaded.
type Options struct {
	// Name is the plugin's, for sentences that name its table.
	Name   string
	Limits Limits
	// CacheDir is where the machine code is.
	CacheDir string
	// Compilers is how many goroutines compile, at least 1.
	Compilers int
}

// Image is what Build makes of a module, and Load takes.
type Image struct {
	// Code is the rewritten module.
	Code []byte `json:"-"`
	// States are the exported names of the mutable globals. An irreversible
	// module cannot be brought back to what it was.
	States       []string `json:"states"`
	Irreversible bool     `json:"irreversible"`
	// Bundles says that the module may be a bundle.
	Bundles bool `json:"bundles"`
	// LeastMemory is what an instance's memory has at its start, in bytes.
	LeastMemory int64 `json:"least_memory"`
	// MachineBytes is how long the machine code is.
	MachineBytes int64 `json:"machine_bytes"`
}

// Module is a compiled module. It is safe for concurrent use.
type Module struct {
	limits   Limits
	image    Image // without its code
	bytes    int64
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
}

// Build checks a module, rewrites it so that it counts its work, and leaves its
// machine code in o.CacheDir. Memory and time that this takes are up to the module:
// package compile calls it in a process of its own.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out; or, as a
// *fs.PathError, that the machine code cannot be written.
func Build(ctx context.Context, code []byte, o Options) (*Image, error) {
	rewritten, info, err := admit(code, o.Name, &o.Limits)
	if err != nil {
		return nil, err
	}
	m := &Module{limits: o.Limits}
	defer m.Close()
	err = m.compile(experimental.WithCompilationWorkers(ctx, o.Compilers), rewritten, o.CacheDir)
	var disk *fs.PathError
	switch {
	case errors.As(err, &disk):
		return nil, disk
	case err != nil:
		return nil, fmt.Errorf("it does not compile: %s; build it again with a supported toolchain", firstLine(err))
	}
	image := &Image{Code: rewritten, States: info.States, Irreversible: info.Irreversible, Bundles: info.Export(abi.Plugins) != nil}
	if info.Memory != nil {
		image.LeastMemory = int64(info.Memory.Min) * pageBytes
	}
	return image, nil
}

// Load loads what Build left in o.CacheDir, in an engine of its own, so that Close
// frees everything and affects no other module. It never compiles.
//
// # Errors
//
// The machine code is not there, or is another engine's or processor's.
func Load(i *Image, o Options) (*Module, error) {
	m := &Module{limits: o.Limits, image: *i, bytes: i.MachineBytes + int64(len(i.Code))}
	m.image.Code = nil
	// If the engine does not find the code, it would compile. Several of its workers
	// do nothing once the context is over.
	over, end := context.WithCancel(context.Background())
	end()
	err := m.compile(experimental.WithCompilationWorkers(over, 2), i.Code, o.CacheDir)
	if err == nil {
		err = m.provideAll(context.Background())
	}
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("load its machine code: %w", err)
	}
	return m, nil
}

func (m *Module) compile(ctx context.Context, code []byte, cacheDir string) (err error) {
	if m.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
		return err
	}
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithDebugInfoEnabled(false).
		WithCompilationCache(m.cache)
	m.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	m.compiled, err = m.runtime.CompileModule(ctx, code)
	return err
}

// provideAll offers the guest what it imports, and where it gets its fuel.
func (m *Module) provideAll(ctx context.Context) error {
	for _, name := range []string{abi.Module, wasiModule} {
		if err := m.provide(ctx, name); err != nil {
			return fmt.Errorf("offer it the functions of %s: %w", name, err)
		}
	}
	refill := api.GoFunc(func(ctx context.Context, stack []uint64) {
		ctx.Value(callKey{}).(*call).refill(stack)
	})
	_, err := m.runtime.NewHostModuleBuilder(fuel.Module).NewFunctionBuilder().
		WithGoFunction(refill, valueTypes("I"), valueTypes("I")).Export(fuel.Refill).Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("offer it fuel: %w", err)
	}
	return nil
}

// provide instantiates the host module with just the functions that the guest
// imports.
func (m *Module) provide(ctx context.Context, module string) error {
	builder := m.runtime.NewHostModuleBuilder(module)
	var done []string
	for _, definition := range m.compiled.ImportedFunctions() {
		from, name, _ := definition.Import()
		if from != module || slices.Contains(done, name) {
			continue
		}
		done = append(done, name)
		host, ok := functionsOf(module)[name]
		if !ok {
			return fmt.Errorf("there is no function %s", name) // there was, when it was compiled
		}
		builder = builder.NewFunctionBuilder().
			WithGoModuleFunction(bind(host), valueTypes(host.params), valueTypes(host.results)).
			Export(name)
	}
	if done == nil {
		return nil
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// bind finds the call that a host function was called from.
func bind(host hostFunc) api.GoModuleFunc {
	return func(ctx context.Context, mod api.Module, stack []uint64) {
		host.call(ctx.Value(callKey{}).(*call), mod.Memory(), stack)
	}
}

// Bytes is what the module takes without any instance: its machine code, and its
// own, which the engine keeps.
func (m *Module) Bytes() int64 { return m.bytes }

// Close frees the machine code. No instance may be in use any more. It may
// be called again.
func (m *Module) Close() {
	ctx := context.Background()
	if m.runtime != nil {
		_ = m.runtime.Close(ctx)
	}
	if m.cache != nil {
		_ = m.cache.Close(ctx)
	}
	m.runtime, m.cache = nil, nil
}
