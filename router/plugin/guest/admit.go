package guest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"horizon-realtime/router/fuel"
	"horizon-realtime/sdk/abi"
)

// admit checks what can be checked without compiling, and rewrites the module
// so that it counts its work.
func admit(code []byte, name string, limits *Limits) ([]byte, *fuel.Info, error) {
	if !bytes.HasPrefix(code, []byte("\x00asm")) {
		return nil, nil, errors.New("it is no WebAssembly module; build one (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)")
	}
	bounds := fuel.DefaultLimits()
	bounds.ModuleBytes = limits.ModuleBytes
	bounds.MemoryPages = int(limits.pages())
	instrumented, info, err := fuel.Instrument(code, bounds)
	if err != nil {
		return nil, nil, explain(err, code, bounds, name)
	}
	for _, check := range []func(*fuel.Info) error{checkMarker, checkImports, checkExports} {
		if err := check(info); err != nil {
			return nil, nil, err
		}
	}
	return instrumented, info, nil
}

// explain adds the way out to a refusal. If it was about the memory, that is a
// key of the configuration.
func explain(refusal error, code []byte, bounds fuel.Limits, name string) error {
	limit := int64(bounds.MemoryPages) * pageBytes
	bounds.MemoryPages = MaxMemoryBytes / pageBytes
	if _, info, err := fuel.Instrument(code, bounds); err == nil && info.Memory != nil {
		return fmt.Errorf("memory %d bytes is over the limit of %d; raise [plugin.%s] memory",
			int64(info.Memory.Min)*pageBytes, limit, name)
	}
	return fmt.Errorf("it is not admitted: %w; build it again, smaller or with a supported toolchain", refusal)
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
	return fmt.Errorf("it has no export %q, so it is no plugin for this router; build it with the sdk (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)", abi.Marker)
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
	for _, may := range []struct{ name, signature string }{{abi.Plugins, "() -> i64"}, {abi.Choose, "(i32)"}} {
		if e := info.Export(may.name); e != nil && (e.Kind != fuel.KindFunction || e.Func.String() != may.signature) {
			return fmt.Errorf("its export %q is no function %s; export one, or leave it out", may.name, may.signature)
		}
	}
	if (info.Export(abi.Plugins) == nil) != (info.Export(abi.Choose) == nil) {
		return fmt.Errorf("it exports %q or %q without the other; export both, or neither", abi.Plugins, abi.Choose)
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

// checkImports makes sure that the module wants nothing but what a guest gets.
func checkImports(info *fuel.Info) error {
	for _, i := range info.Imports {
		functions := functionsOf(i.Module)
		name := printable(i.Module + "." + i.Name)
		switch want, ok := functions[i.Name]; {
		case functions == nil:
			return fmt.Errorf("it imports %s, but a plugin gets functions of %q and %q only; build it without that (AssemblyScript: --use abort=)", name, abi.Module, wasiModule)
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
