package guest

import (
	"context"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

// Options say how a module is compiled.
type Options struct {
	// Name is the plugin's, for sentences that name its table.
	Name   string
	Limits Limits
	// CacheDir keeps machine code; empty for none.
	CacheDir string
	// Compilers is how many goroutines compile, at least 1.
	Compilers int
}

// Module is a compiled module. It is safe for concurrent use.
type Module struct {
	// CacheError is why the cache could not be used; nil if it could.
	CacheError error

	limits   Limits
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	// states are the exported names of the mutable globals. An irreversible
	// module cannot be brought back to what it was.
	states       []string
	irreversible bool
	// bundles says that the module may be a bundle.
	bundles bool
	// leastMemory is what an instance's memory has at its start.
	leastMemory int64
}

// Compile checks a module, rewrites it so that it counts its work, and compiles
// it in an engine of its own, so that Close frees everything and affects no other
// module. Trouble with the cache is no reason to refuse a module.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
func Compile(ctx context.Context, code []byte, o Options) (*Module, error) {
	instrumented, info, err := admit(code, o.Name, &o.Limits)
	if err != nil {
		return nil, err
	}
	ctx = experimental.WithCompilationWorkers(ctx, o.Compilers)
	m := &Module{
		limits: o.Limits, states: info.States, irreversible: info.Irreversible, bundles: info.Export(abi.Plugins) != nil,
	}
	if info.Memory != nil {
		m.leastMemory = int64(info.Memory.Min) * pageBytes
	}
	err = m.compile(ctx, instrumented, o.CacheDir)
	if err != nil && o.CacheDir != "" {
		m.Close()
		m.CacheError = err
		err = m.compile(ctx, instrumented, "")
	}
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("it does not compile: %s; build it again with a supported toolchain", firstLine(err))
	}
	if err := m.provideAll(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Module) compile(ctx context.Context, code []byte, cacheDir string) (err error) {
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithDebugInfoEnabled(false)
	if cacheDir != "" {
		if m.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return err
		}
		config = config.WithCompilationCache(m.cache)
	}
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
		host := functionsOf(module)[name]
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
