package fuel_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/fuel"
)

// small limits make refusals readable.
func small() fuel.Limits {
	l := fuel.DefaultLimits()
	l.ModuleBytes, l.Types, l.Imports, l.Exports, l.Functions = 1_000, 4, 2, 3, 3
	l.Params, l.Results, l.FunctionBytes, l.Locals, l.Nesting = 3, 2, 200, 10, 3
	l.BranchTargets, l.Globals, l.Tables, l.TableEntries = 4, 2, 1, 100
	l.MemoryPages, l.ElementSegments, l.DataSegments = 2, 1, 1
	return l
}

func TestRefusals(t *testing.T) {
	void0 := funcType(nil, nil)
	zero := slices.Concat(op(i32, 0), constant(0), op(0x0b))
	module := []byte("\x00asm\x01\x00\x00\x00")
	with := func(change func(*parts)) []byte {
		p := running()
		change(&p)
		return p.bytes()
	}
	body := func(of ...[]byte) []byte { return running(of...).bytes() }
	locals := func(groups ...[]byte) []byte {
		return with(func(p *parts) { p.bodies = [][]byte{codeWith(groups)} })
	}
	tests := []struct {
		name   string
		module []byte
		want   string
	}{
		{"no module", []byte("hello"), "module: this is not a WebAssembly module of version 1"},
		{"too large", append(slices.Clone(module), make([]byte, 993)...), "module: 1001 bytes, the limit is 1000"},
		{"section cut off", section(module, 1, make([]byte, 9))[:12], "module: section 1: it ends in the middle of a value"},
		{"unknown section", section(module, 13, nil), "module: section 13 is not one of WebAssembly 2.0"},
		{"section twice", section(section(module, 1, op(0)), 1, op(0)), "type section: there are two of them"},
		{"section out of order", section(section(module, 3, op(0)), 1, op(0)), "type section: it is out of order"},
		{"section too long", section(module, 1, op(0, 0)), "type section: 1 bytes are left over at its end"},
		{"types", with(func(p *parts) { p.types = slices.Repeat([][]byte{void0}, 5) }), "type section: 5 types, the limit is 4"},
		{"count without bytes", section(module, 1, op(3, 0x60)), "type section: it declares 3 types in 1 bytes"},
		{"params", with(func(p *parts) { p.types[0] = funcType(op(i32, i32, i32, i32), nil) }), "type section: 4 parameters, the limit is 3"},
		{"results", with(func(p *parts) { p.types[0] = funcType(nil, op(i32, i32, i32)) }), "type section: 3 results, the limit is 2"},
		{"value type", with(func(p *parts) { p.types[0] = funcType(op(0x69), nil) }), "type section: value type 0x69 is not one of WebAssembly 2.0"},
		{"struct type", with(func(p *parts) { p.types[0] = op(0x5f, 0) }), "type section: type 0 has the form 0x5f, only function types (0x60) are accepted"},
		{"imports", section(module, 2, op(3, 0, 0, 0)), "import section: 3 imports, the limit is 2"},
		{"import of a tag", section(module, 2, op(1, 1, 'a', 1, 'b', 4, 0)), `import section: import "a"."b" is of kind 4, which WebAssembly 2.0 does not have`},
		{"import name", section(module, 2, op(1, 1, 0xff, 1, 'b', 0, 0)), "import section: a name is not UTF-8"},
		{"functions", with(func(p *parts) { p.funcs = op(0, 0, 0, 0) }), "function section: 4 functions, the limit is 3"},
		{"function of no type", with(func(p *parts) { p.funcs = op(1) }), "function section: type 1 is used, there are 1"},
		{"function without code", with(func(p *parts) { p.funcs = op(0, 0) }), "code section: 2 functions are declared, 1 have code"},
		{"tables", with(func(p *parts) { p.tables = slices.Repeat([][]byte{op(funcref, 0, 1)}, 2) }), "table section: 2 tables, the limit is 1"},
		{"table entries", with(func(p *parts) { p.tables = [][]byte{op(funcref, 0, 101)} }), "table section: 101 table entries, the limit is 100"},
		{"table with initializer", with(func(p *parts) { p.tables = [][]byte{op(0x40, 0, funcref, 0, 1)} }), "table section: value type 0x40 is not one of WebAssembly 2.0"},
		{"memory", with(func(p *parts) { p.memory = op(0, 3) }), "memory section: 3 pages of memory, the limit is 2"},
		{"shared memory", with(func(p *parts) { p.memory = op(3, 1, 2) }), "memory section: limits of form 0x3 (shared or 64-bit) are not accepted"},
		{"memories", section(module, 5, op(2, 0, 1, 0, 1)), "memory section: 2 memories, the limit is 1"},
		{"globals", with(func(p *parts) { p.globals = [][]byte{zero, zero, zero} }), "global section: 3 globals, the limit is 2"},
		{"global of the host", with(func(p *parts) { p.globals = [][]byte{op(i64, 0, 0x23, 0, 0x0b)} }), "global section: global 0 is used, there are 0"},
		{"sum in a constant", with(func(p *parts) {
			p.globals = [][]byte{slices.Concat(op(i32, 0), constant(0), constant(0), op(0x6a, 0x0b))}
		}), "global section: instruction 0x6a stands in a constant expression"},
		{"exports", with(func(p *parts) { p.exports = slices.Repeat(p.exports, 4) }), "export section: 4 exports, the limit is 3"},
		{"export twice", with(func(p *parts) { p.exports = slices.Repeat(p.exports, 2) }), `export section: the name "run" is exported twice`},
		{"export of the counter's name", with(func(p *parts) { p.exports = [][]byte{export(fuel.Global, 0, 0)} }), `export section: the name "hr_fuel" is taken by the host`},
		{"export of the start's name", with(func(p *parts) { p.exports = [][]byte{export(fuel.Start, 0, 0)} }), `export section: the name "hr_start" is taken by the host`},
		{"export of the counter", with(func(p *parts) { p.exports = [][]byte{export("mine", 3, 0)} }), `export section: "mine" is global 0, there are 0`},
		{"start with a parameter", with(func(p *parts) { p.types[0], p.start = funcType(op(i32), nil), op(0) }), "start section: function 0 is the start function but of type (i32)"},
		{"elements", section(module, 9, op(2, 1, 0, 0, 1, 0, 0)), "element section: 2 element segments, the limit is 1"},
		{"element offset by the counter", with(func(p *parts) {
			p.tables, p.elements = [][]byte{op(funcref, 0, 1)}, [][]byte{op(0, 0x23, 0, 0x0b, 0)}
		}), "element section: global 0 is used, there are 0"},
		{"data", section(module, 11, op(2, 1, 0, 1, 0)), "data section: 2 data segments, the limit is 1"},
		{"data cut off", section(module, 11, op(1, 1, 9, 0)), "data section: it ends in the middle of a value"},
		{"data count", section(module, 12, op(1)), "data count section: it declares 1 data segments, there are 0"},
		{"code size", body(make([]byte, 201)), "code section: function 0: 203 bytes of code, the limit is 200"},
		{"locals", locals(op(6, i32), op(5, i64)), "code section: function 0: 11 locals, the limit is 10"},
		{"locals past 32 bits", locals(op(0xff, 0xff, 0xff, 0xff, 0x0f, i32), op(0xff, 0xff, 0xff, 0xff, 0x0f, i32)), "code section: function 0: 8589934590 locals, the limit is 10"},
		{"nesting", body(op(2, void, 2, void, 2, void, 2, void, 0x0b, 0x0b, 0x0b, 0x0b)), "code section: function 0: 4 blocks in one another, the limit is 3"},
		{"br_table", body(constant(0), op(0x0e, 5, 0, 0, 0, 0, 0, 0)), "code section: function 0: 5 targets of a br_table, the limit is 4"},
		{"get the counter", body(op(0x23, 0, 0x1a)), "code section: function 0: global 0 is used, there are 0"},
		{"set the counter", body(op(0x42, 0, 0x24, 0)), "code section: function 0: global 0 is used, there are 0"},
		{"set a scratch local", body(constant(0), op(0x21, 0)), "code section: function 0: local 0 is used, there are 0"},
		{"branch to a trap", body(op(0x0c, 1)), "code section: function 0: a branch leads out of 2 blocks, there are 1"},
		{"call of nothing", body(call(1)), "code section: function 0: function 1 is used, there are 1"},
		{"else without if", body(op(0x05)), "code section: function 0: an else at byte 1 stands in no if"},
		{"tail call", body(op(0x12, 0)), "code section: function 0: instruction 0x12 at byte 1 is not one of WebAssembly 2.0"},
		{"atomic", body(op(0xfe, 3, 0)), "code section: function 0: instruction 0xfe at byte 1 is not one of WebAssembly 2.0"},
		{"throw", body(op(0x08, 0)), "code section: function 0: instruction 0x8 at byte 1 is not one of WebAssembly 2.0"},
		{"misc", body(op(0xfc, 18)), "code section: function 0: instruction 0xfc 0x12 is not one of WebAssembly 2.0"},
		{"relaxed vector", body(op(0xfd, 0x80, 0x02)), "code section: function 0: vector instruction 0x80 is not one of WebAssembly 2.0, or is written in an unusual way"},
		{"vector opcode of two readings", body(op(0xfd, 0x8c, 0x00), make([]byte, 16), op(0x1a)), "code section: function 0: vector instruction 0x8c is not one of WebAssembly 2.0, or is written in an unusual way"},
		{"reference never declared", with(func(p *parts) {
			p.exports, p.start, p.bodies = nil, op(0), [][]byte{code(op(0xd2, 0, 0x1a))}
		}), "code section: function 0: function 0 is referred to, but is not declared"},
		{"second memory", body(op(0x3f, 1, 0x1a)), "code section: function 0: memory 1 is used, at most one is accepted"},
		{"select of two types", body(op(0x1c, 2, i32, i32)), "code section: function 0: a select of 2 types"},
		{"select of no type", body(op(0x1c, 1, 0x69)), "code section: function 0: value type 0x69 is not one of WebAssembly 2.0"},
		{"no end", with(func(p *parts) { p.bodies = [][]byte{op(2, 0, 1)} }), "code section: function 0: it ends in the middle of a value"},
		{"after the end", body(op(0x0b)), "code section: function 0: 1 bytes follow its end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := fuel.Instrument(tt.module, small())
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// Loops in loops with many variables take the engine's compiler time out of all
// proportion: this one of 8 KB, 17 s.
func TestCompileBombIsRefused(t *testing.T) {
	of := [][]byte{slices.Repeat(op(0x03, void), 1_000)}
	for i := range 100 {
		of = append(of, op(0x20), leb(i), op(0x1a))
	}
	of = append(of, slices.Repeat(op(0x0b), 1_000))
	p := running()
	p.bodies = [][]byte{codeWith([][]byte{op(100, i32)}, of...)}
	_, _, err := fuel.Instrument(p.bytes(), fuel.DefaultLimits())
	if err == nil || !strings.Contains(err.Error(), "to compile, the limit is 4s") {
		t.Errorf("got %v", err)
	}
}

// What a module declares is worth nothing until there are bytes for it.
func TestDeclaredCountsAllocateNothing(t *testing.T) {
	huge := op(0xff, 0xff, 0xff, 0xff, 0x0f)
	module := []byte("\x00asm\x01\x00\x00\x00")
	for id := byte(1); id <= 12; id++ {
		hostile := section(module, id, huge)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := fuel.Instrument(hostile, wide())
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("section %d of %x was accepted", id, huge)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("section %d: %d bytes were allocated", id, took)
		}
	}
}

func TestInfo(t *testing.T) {
	most := uint32(9)
	p := withTable(withMemory(running()))
	p.types = append(p.types, funcType(op(i32, i64), op(f32)))
	p.imports = [][]byte{op(1, 'a', 1, 'b', 0, 1), op(1, 'a', 1, 'c', 3, i32, 0)}
	p.memory = op(1, 1, 9)
	p.exports = [][]byte{export("run", 0, 1), export("memory", 2, 0)}
	p.start = op(1)
	_, info, err := fuel.Instrument(p.bytes(), fuel.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	want := &fuel.Info{
		Imports: []fuel.Import{
			{Module: "a", Name: "b", Kind: fuel.KindFunction, Func: &fuel.FuncType{
				Params: []fuel.ValueType{fuel.I32, fuel.I64}, Results: []fuel.ValueType{fuel.F32},
			}},
			{Module: "a", Name: "c", Kind: fuel.KindGlobal},
		},
		Exports: []fuel.Export{
			{Name: "run", Kind: fuel.KindFunction, Index: 1, Func: &fuel.FuncType{}},
			{Name: "memory", Kind: fuel.KindMemory},
		},
		Memory:    &fuel.Range{Min: 1, Max: &most},
		Tables:    []fuel.Range{{Min: 10_000}},
		Functions: 1,
		CodeBytes: 2,
		Start:     true,
	}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Error(diff)
	}
	if got := info.Imports[0].Func.String(); got != "(i32, i64) -> f32" {
		t.Errorf("the type is written %q", got)
	}
	if info.Export("memory") == nil || info.Export("other") != nil {
		t.Error("Export finds the wrong ones")
	}
}

// The limits are declared in the rewritten module, so that the engine keeps them.
func TestSizesAreClamped(t *testing.T) {
	p := withMemory(running())
	p.tables = [][]byte{op(funcref, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f)}
	limits := fuel.DefaultLimits()
	limits.MemoryPages, limits.TableEntries = 17, 33
	rewritten, _, err := fuel.Instrument(p.bytes(), limits)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{
		section(nil, 4, op(1, funcref, 1, 5, 33)), section(nil, 5, op(1, 1, 16, 17)),
	} {
		if !bytes.Contains(rewritten, want) {
			t.Errorf("the rewritten module lacks the section %x", want)
		}
	}
}

func TestNames(t *testing.T) {
	sub := func(id byte, b []byte) []byte { return section(nil, id, b) }
	names := func(b ...[]byte) []byte { return append([]byte("\x04name"), slices.Concat(b...)...) }
	functions, moved := sub(1, op(1, 0, 4, 'm', 'a', 'i', 'n')), sub(1, op(1, 1, 4, 'm', 'a', 'i', 'n'))
	good := names(sub(0, op(1, 'm')), functions)
	tests := map[string]struct{ in, want []byte }{
		"kept":                 {good, names(sub(0, op(1, 'm')), moved)},
		"without locals":       {names(functions, sub(2, op(1, 0, 1, 0, 1, 'x'))), names(moved)},
		"count of billions":    {names(sub(1, op(0xff, 0xff, 0xff, 0xff, 0x0f))), nil},
		"more names than code": {names(sub(1, op(2, 0, 1, 'a', 1, 1, 'b'))), nil},
		"twice":                {names(functions, functions), nil},
		"cut off":              {good[:len(good)-1], nil},
		"not UTF-8":            {names(sub(1, op(1, 0, 1, 0xff))), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rewritten, _, err := fuel.Instrument(section(running().bytes(), 0, tt.in), fuel.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != nil && !bytes.HasSuffix(rewritten, section(nil, 0, tt.want)) {
				t.Errorf("the rewritten module does not end in %x", tt.want)
			}
			if tt.want == nil && bytes.Contains(rewritten, []byte("\x04name")) {
				t.Error("names that are not in order were kept")
			}
		})
	}
}

// Bodies have several hundred looks, functions of several results need a type for
// the block around them.
func TestLargeFunctions(t *testing.T) {
	// if arg != 0 { loop { host(); host() } }, many times over: a look for each.
	arm := slices.Concat(op(0x20, 0, 0x04, void, 0x03, void), call(0), call(0), op(0x0b, 0x0b))
	p := parts{
		types:   [][]byte{funcType(nil, nil), funcType(op(i32), op(i32, i64))},
		imports: [][]byte{slices.Concat(leb(4), []byte("host"), leb(4), []byte("call"), op(0, 0))},
		funcs:   op(1),
		exports: [][]byte{export("run", 0, 1)},
		bodies:  [][]byte{code(slices.Repeat(arm, 1_500), op(0x20, 0, 0x42, 9))},
	}
	m, counter := instantiate(t, p.bytes(), plenty)
	for _, arg := range []uint64{0, 1} {
		hostCalls = 0
		got, err := m.ExportedFunction("run").Call(t.Context(), arg)
		if err != nil || !slices.Equal(got, []uint64{arg, 9}) || hostCalls != int(arg)*3_000 {
			t.Errorf("run(%d) = %v, %v after %d calls", arg, got, err, hostCalls)
		}
	}
	counter.Set(budget / 10)
	if _, err := m.ExportedFunction("run").Call(t.Context(), 1); err == nil || int64(counter.Get()) >= 0 {
		t.Errorf("got %v with %d units left", err, int64(counter.Get()))
	}
}
