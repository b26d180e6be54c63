package fuel

// Instructions that the rewriter reads or writes by name.
const (
	opBlock        = 0x02
	opIf           = 0x04
	opLoop         = 0x03
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opCall         = 0x10
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemorySize   = 0x3f
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Ne        = 0x47
	opI32GtU       = 0x4b
	opI32LeU       = 0x4d
	opI64LtS       = 0x53
	opI64LeU       = 0x58
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64And       = 0x83
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI64ExtendU32 = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	prefixMisc     = 0xfc
	prefixVector   = 0xfd

	miscMemoryInit = 0x08
	miscMemoryCopy = 0x0a
	miscMemoryFill = 0x0b

	vecConst = 0x0c

	blockVoid = 0x40
	minusOne  = 0x7f // as LEB128
)

// shape says what follows an instruction's opcode, and what it means for the
// flow of control.
type shape uint8

const (
	refused shape = iota
	plain
	block
	loop
	conditional // if
	otherwise   // else
	end
	unreachable
	br
	brIf
	brTable
	leave // return
	call
	callIndirect
	// Those up to here change the flow of control, those from here do not.
	local
	global
	table
	memarg
	tableSet
	memoryIndex // the byte 0
	memoryGrow
	const32
	const64
	skip4
	skip8
	skip16
	refNull
	refFunc
	typedSelect
	lane
	memargLane
	memoryInit
	memoryCopy
	memoryFill
	dataDrop
	tableInit
	tableCopy
	tableFill
	tableGrow
	elemDrop
	misc
	vector
)

// instruction is how one opcode is read and what it costs in units of fuel. A
// unit is about the work of adding two integers. Instructions that only name a
// place in the code are free: compiled, they leave nothing behind.
type instruction struct {
	shape shape
	cost  uint8
}

// Costs other than those in the tables below, in units.
const (
	// entryCost is for a call's frame: what it takes to get into the function
	// and out of it again.
	entryCost = 8
	// localsPerUnit: declared locals are set to zero at entry.
	localsPerUnit = 4
	// loopCost is for each turn of a loop, so that an empty one costs something.
	loopCost = 1
	// memoryCost is for a load or a store. Most hit a cache; one that waits for
	// the machine's memory takes 270 ns where that is shared.
	memoryCost = 8
	// hostCallCost is for getting out of the module and back. What the host does
	// there it charges itself.
	hostCallCost = 60
	// Bulk operations cost one unit per 8 bytes or one table entry, and growing
	// a memory one unit per 2 bytes, a table 16 per entry: the engine may have to
	// move what is there.
	bytesShift = 3
	pageShift  = 16 - 1
	entryShift = 4
	// frameValues is how many values a frame holds in any case.
	frameValues = 8
	// largeFrame is how many values make a frame so large that the stack is
	// looked at as it is entered, and not only at the next safepoint.
	largeFrame = 512
)

var (
	instructions       = listInstructions()
	miscInstructions   = listMisc()
	vectorInstructions = listVector()
)

// listInstructions covers WebAssembly 2.0. What it leaves out is refused: tail
// calls, exceptions, typed references, garbage collection and threads.
func listInstructions() (t [256]instruction) {
	t = [256]instruction{
		0x00: {unreachable, 1}, 0x01: {plain, 0}, // nop
		0x02: {block, 0}, 0x03: {loop, 0}, 0x04: {conditional, 1}, 0x05: {otherwise, 0},
		0x0b: {end, 0}, 0x0c: {br, 1}, 0x0d: {brIf, 1}, 0x0e: {brTable, 6}, 0x0f: {leave, 1},
		0x10: {call, 2}, 0x11: {callIndirect, 16},
		0x1a: {plain, 0}, 0x1b: {plain, 1}, 0x1c: {typedSelect, 1}, // drop, select
		0x20: {local, 1}, 0x21: {local, 1}, 0x22: {local, 1}, 0x23: {global, 1}, 0x24: {global, 1},
		0x25: {table, 4}, 0x26: {tableSet, 4},
		0x3f: {memoryIndex, 1}, 0x40: {memoryGrow, 200},
		0x41: {const32, 1}, 0x42: {const64, 1}, 0x43: {skip4, 1}, 0x44: {skip8, 1},
		0xd0: {refNull, 1}, 0xd1: {plain, 1}, 0xd2: {refFunc, 250},
		0xfc: {misc, 0}, 0xfd: {vector, 0},
	}
	for op := 0x28; op <= 0x3e; op++ { // loads and stores
		t[op] = instruction{memarg, memoryCost}
	}
	for op := 0x45; op <= 0xc4; op++ { // comparisons, arithmetic, conversions
		t[op] = instruction{plain, 1}
	}
	for _, op := range []int{0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82} { // division, remainder
		t[op].cost = 8
	}
	for _, op := range []int{0x91, 0x95, 0x9f, 0xa3} { // sqrt, division
		t[op].cost = 6
	}
	for op := 0xa8; op <= 0xbf; op++ { // float to integer and back
		t[op].cost = 3
	}
	t[0xac].cost, t[0xad].cost = 1, 1 // i64.extend_i32
	return t
}

func listMisc() (t [18]instruction) {
	t = [18]instruction{
		8: {memoryInit, 30}, 9: {dataDrop, 4}, 10: {memoryCopy, 30}, 11: {memoryFill, 30},
		12: {tableInit, 30}, 13: {elemDrop, 4}, 14: {tableCopy, 30},
		15: {tableGrow, 200}, 16: {table, 1}, 17: {tableFill, 30},
	}
	for op := 0; op < 8; op++ { // trunc_sat
		t[op] = instruction{plain, 4}
	}
	return t
}

// listVector gives vector instructions two units, as most are one machine
// instruction, and more to those that are ten, and to roots and divisions. How
// long each takes shows `go run ./cmd/siege -search 10m`.
func listVector() (t [256]instruction) {
	for op := range t {
		t[op] = instruction{plain, 2}
	}
	for op := 0x00; op <= 0x0b; op++ { // v128.load…, v128.store
		t[op] = instruction{memarg, memoryCost + 1}
	}
	for _, op := range []int{0xe3, 0xe7, 0xf3, 0xf8, 0xf9, 0xfb, 0xfc, 0xfd, 0xcc} { // sqrt, div, f32x4 to integer, convert_i32x4_u, i64x2.shr_s
		t[op].cost = 6
	}
	t[0xef].cost = 12                   // f64x2.sqrt
	t[0x5c], t[0x5d] = t[0x00], t[0x00] // v128.load…_zero
	t[vecConst].shape, t[0x0d].shape = skip16, skip16
	for op := 0x15; op <= 0x22; op++ { // extract_lane, replace_lane
		t[op].shape = lane
	}
	for op := 0x54; op <= 0x5b; op++ { // v128.load…_lane, v128.store…_lane
		t[op] = instruction{memargLane, memoryCost + 1}
	}
	for _, op := range []int{
		0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2,
		0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee,
	} { // there is no such instruction
		t[op] = instruction{}
	}
	return t
}
