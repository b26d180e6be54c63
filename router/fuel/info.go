package fuel

import "strings"

// Info describes a module as it was before it was rewritten.
type Info struct {
	Imports []Import
	// Exports are in the order of the module.
	Exports []Export
	// Memory is nil where the module defines none.
	Memory *Range
	// Tables are the defined ones.
	Tables []Range
	// Functions counts defined functions, CodeBytes their bodies.
	Functions, CodeBytes int
	// Start says that the module has a start function, which the rewritten one
	// exports under Start.
	Start bool
	// States are the names under which the rewritten module exports the mutable
	// globals that the original defines. With the memory they are all the state
	// that a call can leave behind, unless the module is Irreversible.
	States []string
	// Irreversible says that the code can change a table, drop a segment, or set
	// a global whose value cannot be read from outside: a vector or a reference.
	Irreversible bool
}

// Export of the given name, or nil.
func (i *Info) Export(name string) *Export {
	for n := range i.Exports {
		if i.Exports[n].Name == name {
			return &i.Exports[n]
		}
	}
	return nil
}

// Kind is what an import or export is.
type Kind byte

// The numbers are those of the binary format.
const (
	KindFunction Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

func (k Kind) String() string {
	return [...]string{"function", "table", "memory", "global"}[k&3]
}

// Import is one thing a module wants from its host.
type Import struct {
	Module, Name string
	Kind         Kind
	// Func is set for a function only.
	Func *FuncType
}

// Export is one thing a module offers.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
	// Func is set for a function only.
	Func *FuncType
}

// Range is a size now and the size it may grow to: pages of a memory, entries
// of a table.
type Range struct {
	Min uint32
	// Max is what the original declares, or nil.
	Max *uint32
}

// FuncType is the type of a function.
type FuncType struct {
	Params, Results []ValueType
}

// String writes the type as the text format does: `(i32, i32) -> i64`.
func (t *FuncType) String() string {
	s := "(" + join(t.Params) + ")"
	switch len(t.Results) {
	case 0:
		return s
	case 1:
		return s + " -> " + t.Results[0].String()
	}
	return s + " -> (" + join(t.Results) + ")"
}

func join(types []ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

// ValueType is a type of WebAssembly 2.0, as the byte the binary format uses.
type ValueType byte

const (
	I32       ValueType = 0x7f
	I64       ValueType = 0x7e
	F32       ValueType = 0x7d
	F64       ValueType = 0x7c
	V128      ValueType = 0x7b
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6f
)

func (t ValueType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	case ExternRef:
		return "externref"
	}
	return "unknown"
}

func (t ValueType) reference() bool { return t == FuncRef || t == ExternRef }
func (t ValueType) valid() bool     { return t >= V128 && t <= I32 || t.reference() }
