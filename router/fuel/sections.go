package fuel

import (
	"errors"
	"strings"
)

// The readers of this file check what Info reports and what the engine would
// otherwise allocate by: a declared count is never believed before there are
// bytes for it.

func (m *module) readTypes(r *reader) {
	n := r.count("types", m.limits.Types)
	m.types, m.originalTypes = make([]FuncType, 0, n), n
	for i := 0; i < n && r.err == nil; i++ {
		if form := r.byte(); r.err == nil && form != 0x60 {
			r.failf("type %d has the form %#x, only function types (0x60) are accepted", i, form)
		}
		m.types = append(m.types, FuncType{
			Params:  readValueTypes(r, "parameters", m.limits.Params),
			Results: readValueTypes(r, "results", m.limits.Results),
		})
	}
}

func readValueTypes(r *reader, what string, limit int) []ValueType {
	n := r.count(what, limit)
	if n == 0 {
		return nil
	}
	types := make([]ValueType, n)
	for i := range types {
		types[i] = readValueType(r)
	}
	return types
}

func readValueType(r *reader) ValueType {
	t := ValueType(r.byte())
	if r.err == nil && !t.valid() {
		r.failf("value type %#x is not one of WebAssembly 2.0", byte(t))
	}
	return t
}

func readRefType(r *reader) ValueType {
	t := readValueType(r)
	if r.err == nil && !t.reference() {
		r.failf("value type %s is not a reference", t)
	}
	return t
}

func (m *module) readFuncType(r *reader) (uint32, *FuncType) {
	i := r.u32()
	if r.err == nil && int64(i) >= int64(m.originalTypes) {
		r.failf("type %d is used, there are %d", i, m.originalTypes)
	}
	if r.err != nil {
		return 0, nil
	}
	return i, &m.types[i]
}

func (m *module) readImports(r *reader) {
	n := r.count("imports", m.limits.Imports)
	for i := 0; i < n && r.err == nil; i++ {
		imp := Import{Module: r.name(), Name: r.name(), Kind: Kind(r.byte())}
		if imp.Module == Module {
			r.failf("module %q is the host's, nothing may be imported of it", Module)
		}
		switch imp.Kind {
		case KindFunction:
			var t uint32
			t, imp.Func = m.readFuncType(r)
			m.funcs = append(m.funcs, t)
			m.importedFuncs++
		case KindTable:
			t := readRefType(r)
			m.readRange(r)
			m.addTable(r, t)
		case KindMemory:
			m.readRange(r)
			m.addMemory(r)
		case KindGlobal:
			m.addGlobal(readGlobalType(r))
			m.importedGlobals++
		default:
			r.failf("import %.80q.%.80q is of kind %d, which WebAssembly 2.0 does not have", imp.Module, imp.Name, byte(imp.Kind))
		}
		m.info.Imports = append(m.info.Imports, imp)
	}
}

func (m *module) readFunctions(r *reader) {
	n := r.count("functions", m.limits.Functions)
	m.info.Functions = n
	for i := 0; i < n && r.err == nil; i++ {
		t, _ := m.readFuncType(r)
		m.funcs = append(m.funcs, t)
	}
}

func (m *module) readRange(r *reader) Range {
	flag := r.byte()
	if r.err == nil && flag > 1 {
		r.failf("limits of form %#x (shared or 64-bit) are not accepted", flag)
	}
	rg := Range{Min: r.u32()}
	if flag == 1 {
		most := r.u32()
		if r.err == nil && most < rg.Min {
			r.failf("a size of at least %d and at most %d makes no sense", rg.Min, most)
		}
		rg.Max = &most
	}
	return rg
}

func (m *module) addTable(r *reader, of ValueType) {
	m.tables = append(m.tables, of)
	if n := len(m.tables); n > m.limits.Tables {
		r.fail(over("tables", int64(n), int64(m.limits.Tables)))
	}
}

func (m *module) readTables(r *reader) {
	n := r.count("tables", m.limits.Tables)
	for i := 0; i < n && r.err == nil; i++ {
		m.addTable(r, readRefType(r))
		rg := m.readRange(r)
		if r.err == nil && int64(rg.Min) > int64(m.limits.TableEntries) {
			r.fail(over("table entries", int64(rg.Min), int64(m.limits.TableEntries)))
		}
		m.info.Tables = append(m.info.Tables, rg)
	}
}

func (m *module) addMemory(r *reader) {
	m.memories++
	if m.memories > 1 {
		r.fail(over("memories", int64(m.memories), 1))
	}
}

func (m *module) readMemory(r *reader) {
	n := r.count("memories", 1)
	for i := 0; i < n && r.err == nil; i++ {
		m.addMemory(r)
		rg := m.readRange(r)
		if r.err == nil && int64(rg.Min) > int64(m.limits.MemoryPages) {
			r.fail(over("pages of memory", int64(rg.Min), int64(m.limits.MemoryPages)))
		}
		m.info.Memory = &rg
	}
}

func readGlobalType(r *reader) globalType {
	g := globalType{of: readValueType(r)}
	switch flag := r.byte(); flag {
	case 0:
	case 1:
		g.mutable = true
	default:
		r.failf("a global's mutability is %#x", flag)
	}
	return g
}

func (m *module) addGlobal(g globalType) {
	m.globals = append(m.globals, g)
	if g.mutable {
		m.mutableGlobals++
		if !g.isNumber() {
			m.info.Irreversible = true
		}
	}
}

func (m *module) readGlobals(r *reader) {
	n := r.count("globals", m.limits.Globals)
	for i := 0; i < n && r.err == nil; i++ {
		g := readGlobalType(r)
		m.readConst(r)
		m.addGlobal(g)
	}
}

// readConst reads a constant expression. Which global, function or type it may
// name where is for the engine to say; here it must only exist.
func (m *module) readConst(r *reader) {
	for r.err == nil {
		switch op := r.byte(); op {
		case opEnd:
			return
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case opF32Const:
			r.bytes(4)
		case opF64Const:
			r.bytes(8)
		case opGlobalGet:
			m.readGlobalIndex(r)
		case opRefNull:
			readRefType(r)
		case opRefFunc:
			m.declare(r, m.readMovedIndex(r))
		case prefixVector:
			if sub := r.byte(); r.err == nil && sub != vecConst {
				r.failf("vector instruction %#x stands in a constant expression", sub)
			}
			r.bytes(16)
		default:
			if r.err == nil {
				r.failf("instruction %#x stands in a constant expression", op)
			}
		}
	}
}

func (m *module) readGlobalIndex(r *reader) {
	if i := r.u32(); r.err == nil && int64(i) >= int64(len(m.globals)) {
		r.failf("global %d is used, there are %d", i, len(m.globals))
	}
}

func (m *module) readFuncIndex(r *reader) uint32 {
	i := r.u32()
	if r.err == nil && int64(i) >= int64(len(m.funcs)) {
		r.failf("function %d is used, there are %d", i, len(m.funcs))
	}
	return i
}

// readMovedIndex is readFuncIndex for a section that is not read again.
func (m *module) readMovedIndex(r *reader) uint32 {
	at := r.pos
	i := m.readFuncIndex(r)
	m.move(at, r.pos, i)
	return i
}

func (m *module) declare(r *reader, function uint32) {
	if r.err != nil {
		return
	}
	if m.declared == nil {
		m.declared = make([]bool, len(m.funcs))
	}
	m.declared[function] = true
}

func (m *module) readTableIndex(r *reader) {
	if i := r.u32(); r.err == nil && int64(i) >= int64(len(m.tables)) {
		r.failf("table %d is used, there are %d", i, len(m.tables))
	}
}

func (m *module) funcType(i uint32) *FuncType { return &m.types[m.funcs[i]] }

func (m *module) readExports(r *reader) {
	n := r.count("exports", m.limits.Exports)
	seen := make(map[string]bool, n)
	for i := 0; i < n && r.err == nil; i++ {
		e := Export{Name: r.name(), Kind: Kind(r.byte())}
		at := r.pos
		e.Index = r.u32()
		have := 0
		switch e.Kind {
		case KindFunction:
			have = len(m.funcs)
		case KindTable:
			have = len(m.tables)
		case KindMemory:
			have = m.memories
		case KindGlobal:
			have = len(m.globals)
		}
		switch {
		case r.err != nil:
			return
		case e.Name == Global || e.Name == Start || strings.HasPrefix(e.Name, State):
			r.failf("the name %.80q is taken by the host", e.Name)
			return
		case seen[e.Name]:
			r.failf("the name %.80q is exported twice", e.Name)
			return
		case int64(e.Index) >= int64(have):
			r.failf("%.80q is %s %d, there are %d", e.Name, e.Kind, e.Index, have)
			return
		}
		if e.Kind == KindFunction {
			e.Func = m.funcType(e.Index)
			m.declare(r, e.Index)
			m.move(at, r.pos, e.Index)
		}
		seen[e.Name] = true
		m.info.Exports = append(m.info.Exports, e)
	}
}

func (m *module) readStart(r *reader) {
	m.start = m.readFuncIndex(r)
	if r.err != nil {
		return
	}
	if t := m.funcType(m.start); len(t.Params)+len(t.Results) > 0 {
		r.failf("function %d is the start function but of type %s", m.start, t)
	}
	m.info.Start = true
}

var errElementKind = errors.New("an element segment is of a kind other than functions")

// Bits of an element segment's flags.
const (
	segmentPassive     = 1 // or declarative, with segmentExplicit
	segmentExplicit    = 2
	segmentExpressions = 4
)

func (m *module) readElements(r *reader) {
	m.elements = r.count("element segments", m.limits.ElementSegments)
	for i := 0; i < m.elements && r.err == nil; i++ {
		flags := r.u32()
		if r.err == nil && flags > 7 {
			r.failf("element segment %d is of form %d", i, flags)
		}
		if flags&segmentPassive == 0 {
			if flags&segmentExplicit != 0 {
				m.readTableIndex(r)
			} else if r.err == nil && len(m.tables) == 0 {
				r.failf("element segment %d is for a table, there is none", i)
			}
			m.readConst(r)
		}
		if flags&(segmentPassive|segmentExplicit) != 0 {
			if flags&segmentExpressions != 0 {
				readRefType(r)
			} else if kind := r.byte(); r.err == nil && kind != 0 {
				r.fail(errElementKind)
			}
		}
		n := r.count("elements", m.limits.ModuleBytes)
		for j := 0; j < n && r.err == nil; j++ {
			if flags&segmentExpressions != 0 {
				m.readConst(r)
			} else {
				m.declare(r, m.readMovedIndex(r))
			}
		}
	}
}

func (m *module) readData(r *reader) {
	n := r.count("data segments", m.limits.DataSegments)
	m.segmentSizes = make([]int, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		flags := r.u32()
		if r.err == nil && flags > 2 {
			r.failf("data segment %d is of form %d", i, flags)
		}
		if flags == 2 {
			if index := r.u32(); r.err == nil && index != 0 {
				r.failf("data segment %d is for memory %d, at most one memory is accepted", i, index)
			}
		}
		if flags != 1 {
			if r.err == nil && m.memories == 0 {
				r.failf("data segment %d is for a memory, there is none", i)
			}
			m.readConst(r)
		}
		m.segmentSizes = append(m.segmentSizes, len(r.bytes(int(r.u32()))))
	}
}

// readCode finds the bodies. What is in them is read when they are rewritten.
func (m *module) readCode(r *reader) {
	n := r.count("bodies", m.limits.Functions)
	m.bodies = make([]body, 0, n)
	for i := 0; i < n && r.err == nil; i++ {
		b := r.bytes(int(r.u32()))
		if r.err == nil && len(b) > m.limits.FunctionBytes {
			r.failf("function %d: %w", m.importedFuncs+i, over("bytes of code", int64(len(b)), int64(m.limits.FunctionBytes)))
		}
		m.bodies = append(m.bodies, body(b))
		m.info.CodeBytes += len(b)
	}
}

// body is one function's code: the declarations of its locals, then the
// instructions.
type body []byte
