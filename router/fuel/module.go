package fuel

import (
	"bytes"
	"fmt"
)

// Section numbers of the binary format.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

var sectionNames = [...]string{
	"custom", "type", "import", "function", "table", "memory", "global",
	"export", "start", "element", "code", "data", "data count",
}

// sectionOrder is the one in which sections must stand: it is that of their
// numbers, but for the data count, which was added later and stands before the
// code.
var sectionOrder = [...]int{
	sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal,
	sectionExport, sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData,
}

func sectionRank(id byte) int {
	for rank, other := range sectionOrder {
		if int(id) == other {
			return rank
		}
	}
	return -1
}

var header = []byte("\x00asm\x01\x00\x00\x00")

// module is a decoded module: the index spaces that code refers to, and the
// payloads of the sections, which stand in the rewritten module as they were
// wherever nothing has to change in them.
type module struct {
	limits   Limits
	payload  [len(sectionNames)][]byte // nil where the section is absent
	names    []byte                    // payload of the name section, name included
	info     Info
	types    []FuncType
	funcs    []uint32 // type index of each function, imported ones first
	tables   []ValueType
	globals  []globalType
	memories int
	elements int
	start    uint32
	// edits are what changes in the payload of a section that is not read again.
	edits   [len(sectionNames)][]edit
	reading int // the section at hand
	// originalTypes is how many types there were before blocks needed more.
	originalTypes int
	typeIndices   map[string]int
	refillType    int // of the imported function
	added         []added
	chunkers      map[[2]uint32]uint32
	segmentSizes  []int // of data
	bodies        []body
	// declared functions are those that something outside the code names: only
	// they may be referred to from within.
	declared []bool

	importedFuncs, importedGlobals, mutableGlobals int
}

type globalType struct {
	of      ValueType
	mutable bool
}

// isNumber reports whether a host can read the global's value, and set it.
func (g globalType) isNumber() bool { return g.of >= F64 && g.of <= I32 }

// decode reads and checks everything but the instructions.
func decode(b []byte, limits Limits) (*module, error) {
	if len(b) > limits.ModuleBytes {
		return nil, fmt.Errorf("module: %w", over("bytes", int64(len(b)), int64(limits.ModuleBytes)))
	}
	if !bytes.HasPrefix(b, header) {
		return nil, fmt.Errorf("module: this is not a WebAssembly module of version 1")
	}
	m := &module{limits: limits}
	if err := m.split(b); err != nil {
		return nil, err
	}
	for _, id := range sectionOrder {
		if m.payload[id] == nil {
			continue
		}
		r := &reader{b: m.payload[id]}
		m.section(id, r)
		if r.err == nil && r.left() > 0 {
			r.failf("%d bytes are left over at its end", r.left())
		}
		if r.err != nil {
			return nil, fmt.Errorf("%s section: %w", sectionNames[id], r.err)
		}
	}
	if defined := len(m.funcs) - m.importedFuncs; defined != len(m.bodies) {
		return nil, fmt.Errorf("code section: %d functions are declared, %d have code", defined, len(m.bodies))
	}
	if p := m.payload[sectionDataCount]; p != nil {
		// The data section was read after it: a count without data is zero.
		if n := (&reader{b: p}).u32(); int(n) != len(m.segmentSizes) {
			return nil, fmt.Errorf("data count section: it declares %d data segments, there are %d", n, len(m.segmentSizes))
		}
	}
	return m, nil
}

// split finds the sections. Of the custom ones only the names are kept, which
// make traps readable.
func (m *module) split(b []byte) error {
	r := &reader{b: b, pos: len(header)}
	last := -1
	for r.left() > 0 {
		id := r.byte()
		payload := r.bytes(int(r.u32()))
		if r.err != nil {
			return fmt.Errorf("module: section %d: %w", id, r.err)
		}
		if id == sectionCustom {
			c := &reader{b: payload}
			name := c.name()
			if c.err != nil {
				return fmt.Errorf("custom section: %w", c.err)
			}
			if name == "name" && m.names == nil {
				m.names = payload[c.pos:]
			}
			continue
		}
		rank := sectionRank(id)
		switch {
		case rank < 0:
			return fmt.Errorf("module: section %d is not one of WebAssembly 2.0", id)
		case rank == last:
			return fmt.Errorf("%s section: there are two of them", sectionNames[id])
		case rank < last:
			return fmt.Errorf("%s section: it is out of order", sectionNames[id])
		}
		last = rank
		m.payload[id] = payload
	}
	return nil
}

func (m *module) section(id int, r *reader) {
	m.reading = id
	switch id {
	case sectionType:
		m.readTypes(r)
	case sectionImport:
		m.readImports(r)
	case sectionFunction:
		m.readFunctions(r)
	case sectionTable:
		m.readTables(r)
	case sectionMemory:
		m.readMemory(r)
	case sectionGlobal:
		m.readGlobals(r)
	case sectionExport:
		m.readExports(r)
	case sectionStart:
		m.readStart(r)
	case sectionElement:
		m.readElements(r)
	case sectionDataCount:
		r.u32() // compared by decode
	case sectionCode:
		m.readCode(r)
	case sectionData:
		m.readData(r)
	}
}

// fuelIndex is the index of the counter, the first one the original lacks.
func (m *module) fuelIndex() uint32 { return uint32(len(m.globals)) }
