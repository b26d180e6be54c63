package plugin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

// filter is one version of one plugin, ready to be called. The sets it is in
// keep it alive.
type filter struct {
	// Name is the plugin's, File the file's without its folder.
	Name, File string
	digest     [sha256.Size]byte
	loaded     time.Time
	settings   Settings
	config     []byte
	grants     atomic.Uint32
	limits     limits
	sub        subscription
	record     *record
	health     *health

	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	// spare is the instance that the load made to see whether the filter
	// starts; the first worker that needs one takes it.
	spare atomic.Pointer[instance]
	// sets is how many sets the filter is in.
	sets atomic.Int64
}

const maxName = 64

// pluginName takes the plugin's name out of its file's: `50-nova.wasm` is nova.
func pluginName(file string) string {
	name := strings.TrimSuffix(file, ".wasm")
	order, rest, found := strings.Cut(name, "-")
	if found && order != "" && strings.Trim(order, "0123456789") == "" {
		return rest
	}
	return name
}

func validName(name string) bool {
	return len(name) >= 1 && len(name) <= maxName &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// readModule reads the file, no more than is admitted, and makes sure that
// nobody wrote to it in the meantime.
func readModule(path string, limit int64) ([]byte, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errors.New("it is no regular file; put the module itself there")
	}
	if before.Size() > limit {
		return nil, fmt.Errorf("it has %d bytes, over the limit of %d; build it without debug information, or raise [plugins] max_module_bytes", before.Size(), limit)
	}
	module, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	after, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if int64(len(module)) != before.Size() || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) {
		return nil, errors.New("it changed while it was read; write it elsewhere and rename it into place")
	}
	return module, nil
}

// load makes a filter of verified bytes: admit, instrument, compile, start a
// first instance, and put it to its own tests.
//
// # Errors
//
// A sentence that completes "plugin 50-nova.wasm: ", with the way out.
//
// # Notes
//
// ctx says how many goroutines compile (experimental.WithCompilationWorkers).
func (h *Host) load(ctx context.Context, file string, module []byte, settings Settings) (*filter, error) {
	f := &filter{
		Name: pluginName(file), File: file,
		digest: sha256.Sum256(module), loaded: h.now(), settings: settings,
		limits: h.cfg.limitsFor(settings),
		health: newHealth(h.cfg),
	}
	if settings.SlowPerSecond > 0 {
		f.health.slow = settings.SlowPerSecond
	}
	f.record = h.recordOf(f.Name)
	grants, err := event.ParseGrants(settings.Grants)
	if err != nil {
		return nil, err
	}
	f.grants.Store(uint32(grants))
	if f.config, err = configJSON(settings.Config); err != nil {
		return nil, fmt.Errorf("its config: %w", err)
	}
	instrumented, err := h.admit(f, module)
	if err != nil {
		return nil, err
	}
	if err := h.compile(ctx, f, instrumented); err != nil {
		f.close()
		return nil, err
	}
	in, err := f.newInstance()
	if err != nil {
		f.close()
		return nil, err
	}
	f.sub = in.sub
	f.spare.Store(in)
	if err := h.selfTests(ctx, f, module); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// admit checks what can be checked without compiling, and rewrites the module
// so that it counts its work.
func (h *Host) admit(f *filter, module []byte) ([]byte, error) {
	limits := fuel.DefaultLimits()
	limits.ModuleBytes = int(h.cfg.MaxModuleBytes)
	limits.MemoryPages = int(f.limits.pages)
	if !bytes.HasPrefix(module, []byte("\x00asm")) {
		return nil, errors.New("it is no WebAssembly module; build one (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)")
	}
	instrumented, info, err := fuel.Instrument(module, limits)
	if err != nil {
		return nil, h.explain(f, module, limits, err)
	}
	for _, check := range []func(*fuel.Info) error{checkMarker, checkImports, checkExports} {
		if err := check(info); err != nil {
			return nil, err
		}
	}
	return instrumented, nil
}

// explain adds the way out to a refusal. Where it was about the memory, that is
// a key of the configuration.
func (h *Host) explain(f *filter, module []byte, limits fuel.Limits, err error) error {
	limits.MemoryPages = maxMemoryBytes / pageBytes
	if _, info, err := fuel.Instrument(module, limits); err == nil && info.Memory != nil {
		return fmt.Errorf("memory %d bytes is over the limit of %d; raise [plugin.%s] memory",
			int64(info.Memory.Min)*pageBytes, int64(f.limits.pages)*pageBytes, f.Name)
	}
	return fmt.Errorf("it is not admitted: %w; build it again, smaller or with a supported toolchain", err)
}

// checkMarker makes sure that the module speaks this version of the ABI.
func checkMarker(info *fuel.Info) error {
	if info.Export(abi.Marker) != nil {
		return nil
	}
	for _, e := range info.Exports {
		if other, ok := strings.CutPrefix(e.Name, "hr_abi_"); ok {
			return fmt.Errorf("it speaks version %s of the plugin ABI, the router version %d; rebuild it with this router's sdk", printable(other), abi.Version)
		}
	}
	return fmt.Errorf("it has no export %q, so it is no filter for this router; build it with the sdk (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)", abi.Marker)
}

// checkExports makes sure that the module has what the host calls.
func checkExports(info *fuel.Info) error {
	for _, want := range []struct{ name, signature string }{
		{abi.Marker, "()"}, {abi.Init, "() -> i64"}, {abi.Event, "() -> i64"},
	} {
		e := info.Export(want.name)
		switch {
		case e == nil:
			return fmt.Errorf("it has no export %q; export a function %s", want.name, want.signature)
		case e.Kind != fuel.KindFunction:
			return fmt.Errorf("its export %q is a %s; export a function %s", want.name, e.Kind, want.signature)
		case e.Func.String() != want.signature:
			return fmt.Errorf("its export %q has the type %s; it must be %s", want.name, e.Func, want.signature)
		}
	}
	if e := info.Export("_initialize"); e != nil && (e.Kind != fuel.KindFunction || e.Func.String() != "()") {
		return errors.New(`its export "_initialize" is no function (); build it as a reactor, or leave it out`)
	}
	if info.Export("_start") != nil {
		return errors.New(`it exports "_start", so it is a program and not a reactor; build it with -buildmode=c-shared`)
	}
	if e := info.Export(abi.Memory); e == nil || e.Kind != fuel.KindMemory {
		return fmt.Errorf("it has no exported memory %q; export its memory under that name", abi.Memory)
	}
	return nil
}

// checkImports makes sure that the module wants nothing but what a filter gets.
func checkImports(info *fuel.Info) error {
	for _, i := range info.Imports {
		functions := functionsOf(i.Module)
		name := printable(i.Module + "." + i.Name)
		switch want, ok := functions[i.Name]; {
		case functions == nil:
			return fmt.Errorf("it imports %s, but a filter gets functions of %q and %q only; build it without that (AssemblyScript: --use abort=)", name, abi.Module, wasiModule)
		case !ok:
			return fmt.Errorf("it imports %s, which this router does not have; rebuild it with this router's sdk", name)
		case i.Kind != fuel.KindFunction:
			return fmt.Errorf("it imports %s as a %s; import it as a function", name, i.Kind)
		case i.Func.String() != want.signature():
			return fmt.Errorf("it imports %s with the type %s, but it has the type %s; rebuild it with this router's sdk", name, i.Func, want.signature())
		}
	}
	return nil
}

// printable is a name that a module gives, as it may stand in a sentence.
func printable(name string) string {
	const most = 80
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

func functionsOf(module string) map[string]hostFunc {
	switch module {
	case abi.Module:
		return hostFunctions
	case wasiModule:
		return wasiFunctions
	}
	return nil
}

// signature spells the type as the text format does.
func (f hostFunc) signature() string {
	params := make([]string, len(f.params))
	for i, t := range valueTypes(f.params) {
		params[i] = api.ValueTypeName(t)
	}
	s := "(" + strings.Join(params, ", ") + ")"
	for _, t := range valueTypes(f.results) {
		s += " -> " + api.ValueTypeName(t)
	}
	return s
}

func valueTypes(letters string) []api.ValueType {
	types := make([]api.ValueType, len(letters))
	for i := range letters {
		types[i] = api.ValueTypeI32
		if letters[i] == 'I' {
			types[i] = api.ValueTypeI64
		}
	}
	return types
}

// compile makes machine code of the instrumented module, in a runtime of its
// own: closing that gives everything back, and touches no other plugin. What is
// wrong with the cache is no reason to refuse a plugin.
func (h *Host) compile(ctx context.Context, f *filter, module []byte) error {
	compiled, err := h.machineCode(ctx, f, module, h.cacheDir)
	if err != nil && h.cacheDir != "" {
		f.close()
		cached := err
		if compiled, err = h.machineCode(ctx, f, module, ""); err == nil {
			h.log.Warn("compiled a plugin past the cache; empty the cache", "plugin", f.Name, "cache", h.cacheDir, "error", cached)
		}
	}
	if err != nil {
		return fmt.Errorf("it does not compile: %s; build it again with a supported toolchain", firstLine(err))
	}
	f.compiled = compiled
	for _, name := range []string{abi.Module, wasiModule} {
		if err := f.provide(ctx, name); err != nil {
			return fmt.Errorf("offer it the functions of %s: %w", name, err)
		}
	}
	return nil
}

// machineCode gives f a runtime, and compiles the module in it.
func (h *Host) machineCode(ctx context.Context, f *filter, module []byte, cacheDir string) (wazero.CompiledModule, error) {
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(f.limits.pages).
		WithDebugInfoEnabled(false)
	if cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
		if err != nil {
			return nil, err
		}
		f.cache = cache
		config = config.WithCompilationCache(cache)
	}
	f.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	return f.runtime.CompileModule(ctx, module)
}

// provide instantiates the host module with just the functions that the filter
// imports.
func (f *filter) provide(ctx context.Context, module string) error {
	builder := f.runtime.NewHostModuleBuilder(module)
	var done []string
	for _, definition := range f.compiled.ImportedFunctions() {
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

// bind finds the instance that a call of the host comes from.
func bind(host hostFunc) api.GoModuleFunc {
	return func(ctx context.Context, mod api.Module, stack []uint64) {
		host.call(ctx.Value(instanceKey{}).(*instance), mod.Memory(), stack)
	}
}

// take gives the spare instance, or makes one.
func (f *filter) take() (*instance, error) {
	if in := f.spare.Swap(nil); in != nil {
		return in, nil
	}
	in, err := f.newInstance()
	if err != nil {
		return nil, err
	}
	if !in.sub.equal(&f.sub) {
		in.close()
		return nil, faultf(faultStart, "%s subscribed to something else than it did the first time", abi.Init)
	}
	return in, nil
}

// release drops a set's hold; the last one closes the filter.
func (f *filter) release() {
	if f.sets.Add(-1) == 0 {
		f.close()
	}
}

// close gives the filter's memory and machine code back. No instance of it is
// in use any more.
func (f *filter) close() {
	ctx := context.Background()
	if in := f.spare.Swap(nil); in != nil {
		in.close()
	}
	if f.runtime != nil {
		_ = f.runtime.Close(ctx)
	}
	if f.cache != nil {
		_ = f.cache.Close(ctx)
	}
	f.runtime, f.cache = nil, nil
}

func (h *Host) path(file string) string { return filepath.Join(h.cfg.Dir, file) }
