package fuel

// Limits bound what Instrument admits. Every one is inclusive, and a module at
// the limit is admitted. Start from [DefaultLimits]: the zero value admits
// next to nothing.
type Limits struct {
	// ModuleBytes is the size of the original file.
	ModuleBytes int
	// Types, Imports, Exports and Functions (defined ones) are counts.
	Types, Imports, Exports, Functions int
	// Params and Results bound every function type, blocks included.
	Params, Results int
	// FunctionBytes is the size of one function's body.
	FunctionBytes int
	// Locals bounds parameters and declared locals of one function together.
	Locals int
	// Nesting is how deep blocks may stand in one another.
	Nesting int
	// BranchTargets bounds the labels of one br_table.
	BranchTargets int
	// LabelUses bounds the branches that lead to one label. The compiler walks
	// the list of them for each of them.
	LabelUses int
	// FunctionWork and ModuleWork bound blocks, branches and calls times the
	// variables (locals and mutable globals) that the compiler has to carry
	// across them, for one function and for all of them together.
	FunctionWork, ModuleWork int
	// Globals counts defined globals.
	Globals int
	// Tables counts tables, TableEntries is the largest size of each of them,
	// at the start and after table.grow.
	Tables, TableEntries int
	// MemoryPages is the largest size of the memory in pages of 64 KiB, at the
	// start and after memory.grow.
	MemoryPages int
	// ElementSegments and DataSegments are counts. What is in them is bounded
	// by ModuleBytes.
	ElementSegments, DataSegments int
}

// DefaultLimits admits what the Go, Rust, C and AssemblyScript toolchains make,
// with room: the Go modules that these were set by have up to 6,000 functions,
// bodies of 120 KiB, 60 locals and a nesting of 2,000.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes:     32 << 20,
		Types:           10_000,
		Imports:         256,
		Exports:         1_000,
		Functions:       100_000,
		Params:          128,
		Results:         32,
		FunctionBytes:   1 << 20,
		Locals:          10_000,
		Nesting:         20_000,
		BranchTargets:   20_000,
		LabelUses:       20_000,
		FunctionWork:    32 << 20,
		ModuleWork:      256 << 20,
		Globals:         1_000,
		Tables:          4,
		TableEntries:    128 << 10,
		MemoryPages:     256,
		ElementSegments: 10_000,
		DataSegments:    100_000,
	}
}
