package fuel

import "time"

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
	// FunctionCompile and ModuleCompile bound the time that compiling can take,
	// for one function and for all of them together, as estimated for the worst
	// case from blocks, branches, loops and variables.
	FunctionCompile, ModuleCompile time.Duration
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
// with room. The largest of those that these were set by are a Go program of 15
// MiB with 9,233 functions, bodies of 50 KiB, 570 blocks in one another, 100,000
// data segments and an estimate of 8 s, and a C program with 813 locals.
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
		Nesting:         5_000,
		BranchTargets:   10_000,
		FunctionCompile: 4 * time.Second,
		ModuleCompile:   30 * time.Second,
		Globals:         1_000,
		Tables:          4,
		TableEntries:    128 << 10,
		MemoryPages:     256,
		ElementSegments: 10_000,
		DataSegments:    100_000,
	}
}
