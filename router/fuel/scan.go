package fuel

import (
	"fmt"
	"time"
)

// scanner reads one function after the other.
type scanner struct {
	m *module
	r reader
	meter
	// Of the function at hand: its results, the number of its locals with
	// parameters, their declarations, and the blocks, branches and calls in it.
	results    []ValueType
	locals     int
	groups     int
	groupBytes []byte
	turns      int
	// values bounds the values that its frame can hold.
	values int
	// loopDepths adds up, over its loops, how many loops each stands in.
	loopDepths int
	work       time.Duration // of all functions
}

// function reads the body of the defined function of the given index and fills
// the meter.
func (s *scanner) function(index int) error {
	s.r = reader{b: s.m.bodies[index]}
	t := s.m.funcType(uint32(s.m.importedFuncs + index))
	s.results = t.Results
	s.declarations(t)
	s.turns, s.loopDepths, s.values = 0, 0, s.locals
	s.reset(s.r.pos, entryCost+s.locals/localsPerUnit)
	if s.r.err == nil {
		s.instructions()
	}
	if s.r.err == nil && s.r.left() > 0 {
		s.r.failf("%d bytes follow its end", s.r.left())
	}
	if s.r.err == nil {
		s.secure(s.values)
		s.weigh()
	}
	if s.r.err != nil {
		return fmt.Errorf("function %d: %w", s.m.importedFuncs+index, s.r.err)
	}
	return nil
}

// Costs of compiling a function, in nanoseconds, measured on what is worst for
// the engine: its compiler takes time quadratic in the blocks and branches of a
// function and in how deep its loops are nested, and carries every variable
// (locals and mutable globals) across each of them.
const (
	nsPerTurnSquared    = 25
	nsPerTurnByVariable = 500
	nsPerLoopByVariable = 300
)

// weigh bounds the time the engine can take to compile the function.
func (s *scanner) weigh() {
	variables := s.locals + s.m.mutableGlobals + 1
	work := time.Duration(nsPerTurnSquared*s.turns*s.turns + variables*(nsPerTurnByVariable*s.turns+nsPerLoopByVariable*s.loopDepths))
	s.work += work
	switch l := &s.m.limits; {
	case work > l.FunctionCompile:
		s.r.failf("%d blocks, branches and calls with %d locals and %d mutable globals may take %v to compile, the limit is %v",
			s.turns, s.locals, s.m.mutableGlobals, work.Round(time.Millisecond), l.FunctionCompile)
	case s.work > l.ModuleCompile:
		s.r.failf("it and those before it may take %v to compile, the limit is %v", s.work.Round(time.Millisecond), l.ModuleCompile)
	}
}

func (s *scanner) declarations(t *FuncType) {
	r := &s.r
	limit := s.m.limits.Locals
	s.groups = r.count("groups of locals", limit)
	start := r.pos
	sum := int64(len(t.Params))
	for i := 0; i < s.groups && r.err == nil; i++ {
		sum += int64(r.u32())
		readValueType(r)
	}
	if r.err == nil && sum > int64(limit) {
		r.fail(over("locals", sum, int64(limit)))
	}
	if r.err == nil {
		s.groupBytes = r.b[start:r.pos]
		s.locals = int(sum)
	}
}

// instructions reads up to and including the function's last end.
func (s *scanner) instructions() {
	r := &s.r
	for r.err == nil {
		at := r.pos
		s.at = at
		in := instructions[r.byte()]
		if in.shape >= misc {
			in = s.prefixed(in.shape)
		}
		s.pass(at, int(in.cost))
		s.values++
		switch in.shape {
		case plain:
		case local:
			if i := r.u32(); int64(i) >= int64(s.locals) && r.err == nil {
				r.failf("local %d is used, there are %d", i, s.locals)
			}
		case const32:
			r.signed(32)
		case const64:
			r.signed(64)
		case memarg:
			r.u32()
			r.u32()
		case end:
			if !s.close(r.pos) {
				return
			}
		case refused:
			if r.err == nil {
				r.failf("instruction %#x at byte %d is not one of WebAssembly 2.0", r.b[at], at)
			}
		default:
			if in.shape < local {
				s.control(in.shape, at)
			} else {
				s.operands(in.shape, at)
			}
		}
	}
}

// prefixed reads the second part of an opcode. The engine takes it for a byte
// where the format has an integer, so that only what both read alike is
// accepted: a vector opcode over 0x7f is followed by exactly 0x01.
func (s *scanner) prefixed(p shape) instruction {
	r := &s.r
	if p == misc {
		sub := r.u32()
		if int64(sub) < int64(len(miscInstructions)) {
			return miscInstructions[sub]
		}
		r.failf("instruction 0xfc %#x is not one of WebAssembly 2.0", sub)
		return instruction{}
	}
	sub := r.byte()
	if sub >= 0x80 && r.byte() != 0x01 {
		r.failf("vector instruction %#x is not one of WebAssembly 2.0, or is written in an unusual way", sub)
	}
	in := vectorInstructions[sub]
	if in.shape == refused {
		r.failf("vector instruction %#x is not one of WebAssembly 2.0", sub)
	}
	return in
}

// control handles what changes the flow of control.
func (s *scanner) control(kind shape, at int) {
	r := &s.r
	s.turns++
	switch kind {
	case block, loop, conditional:
		params := s.blockType()
		s.open(kind, r.b[at+1:r.pos], params, r.pos)
		if kind == loop {
			s.loopDepths += s.loops
		}
		if n := len(s.frames) - 1; n > s.m.limits.Nesting {
			r.fail(over("blocks in one another", int64(n), int64(s.m.limits.Nesting)))
		}
	case otherwise:
		if !s.otherwise(r.pos) {
			r.failf("an else at byte %d stands in no if", at)
		}
	case br, brIf, brTable:
		s.branches(kind)
	case leave:
		s.returned(at, r.pos)
	case unreachable:
		s.stop(r.pos)
	case call:
		index := s.movedIndex()
		inside := index >= uint32(s.m.importedFuncs)
		if r.err != nil {
			return
		}
		if inside {
			s.nests()
		} else {
			s.pass(at, hostCallCost)
		}
		s.passes(s.m.funcType(index))
		s.called(at)
	case callIndirect:
		_, t := s.m.readFuncType(r)
		s.m.readTableIndex(r)
		if r.err != nil {
			return
		}
		s.passes(t)
		s.nests()
		s.called(at)
	}
}

// branches reads the labels of a branch.
func (s *scanner) branches(kind shape) {
	r := &s.r
	labels := 1
	if kind == brTable {
		labels += r.count("targets of a br_table", s.m.limits.BranchTargets)
	}
	s.turns += labels
	for i := 0; i < labels && r.err == nil; i++ {
		from := r.pos
		l := r.u32()
		switch {
		case r.err != nil:
			return
		case int64(l) >= int64(len(s.frames)):
			r.failf("a branch leads out of %d blocks, there are %d", int64(l)+1, len(s.frames))
			return
		}
		s.branch(l, from, r.pos)
	}
	if kind == brIf {
		s.fork(r.pos)
	} else {
		s.stop(r.pos)
	}
}

// blockType reads the type of a block and returns its parameters.
func (s *scanner) blockType() []ValueType {
	r := &s.r
	if r.left() > 0 {
		if c := r.b[r.pos]; c == blockVoid || ValueType(c).valid() {
			r.pos++
			return nil
		}
	}
	t := r.signed(33)
	switch {
	case r.err != nil:
	case t < 0 || t >= int64(s.m.originalTypes):
		r.failf("a block is of type %d, there are %d", t, s.m.originalTypes)
	default:
		s.passes(&s.m.types[t])
		return s.m.types[t].Params
	}
	return nil
}

// movedIndex reads the index of a function, which may change.
func (s *scanner) movedIndex() uint32 {
	at := s.r.pos
	i := s.m.readFuncIndex(&s.r)
	if moved := s.m.movedIndex(i); moved != i {
		s.edits = append(s.edits, edit{at, s.r.pos, moved})
	}
	return i
}

// passes notes that values of the type go in and come out.
func (s *scanner) passes(t *FuncType) { s.values += len(t.Params) + len(t.Results) }

// operands reads what follows the remaining instructions, and notes those that
// are charged by a length.
func (s *scanner) operands(kind shape, at int) {
	r := &s.r
	switch kind {
	case global:
		s.m.readGlobalIndex(r)
	case table:
		s.m.readTableIndex(r)
	case tableSet:
		s.m.readTableIndex(r)
		s.m.info.Irreversible = true
	case memoryIndex:
		s.zero()
	case skip4:
		r.bytes(4)
	case skip8:
		r.bytes(8)
	case skip16:
		r.bytes(16)
	case lane:
		r.byte()
	case memargLane:
		r.u32()
		r.u32()
		r.byte()
	case refNull:
		readRefType(r)
	case refFunc:
		// The engine checks this as well, but on a module where we have exported
		// the start function, and so declared it.
		if i := s.movedIndex(); r.err == nil && (s.m.declared == nil || !s.m.declared[i]) {
			r.failf("function %d is referred to, but is not declared", i)
		}
	case typedSelect:
		if n := r.byte(); r.err == nil && n != 1 {
			r.failf("a select of %d types", n)
		}
		readValueType(r)
	case dataDrop:
		s.m.info.Irreversible = true
		s.segment("data segment", len(s.m.segmentSizes))
	case elemDrop:
		s.m.info.Irreversible = true
		s.segment("element segment", s.m.elements)
	case memoryGrow:
		s.zero()
		s.patch(patch{kind: byGrowth, pos: at, end: r.pos, shift: pageShift})
	case memoryInit:
		segment := s.segment("data segment", len(s.m.segmentSizes))
		s.zero()
		if r.err == nil {
			s.patch(s.initPatch(segment, at))
		}
	case memoryCopy:
		s.zero()
		s.zero()
		s.patch(patch{pos: at, end: r.pos, shift: bytesShift, chunks: copying})
	case memoryFill:
		s.zero()
		s.patch(patch{pos: at, end: r.pos, shift: bytesShift, chunks: filling})
	case tableInit:
		s.m.info.Irreversible = true
		s.segment("element segment", s.m.elements)
		s.m.readTableIndex(r)
		s.patch(patch{pos: at, end: r.pos})
	case tableCopy:
		s.m.info.Irreversible = true
		s.m.readTableIndex(r)
		s.m.readTableIndex(r)
		s.patch(patch{pos: at, end: r.pos})
	case tableFill:
		s.m.info.Irreversible = true
		s.m.readTableIndex(r)
		s.patch(patch{pos: at, end: r.pos})
	case tableGrow:
		s.m.info.Irreversible = true
		s.m.readTableIndex(r)
		s.patch(patch{kind: byGrowth, pos: at, end: r.pos, shift: entryShift})
	}
}

// zero reads the one byte that stands for the only memory.
func (s *scanner) zero() {
	if c := s.r.byte(); s.r.err == nil && c != 0 {
		s.r.failf("memory %d is used, at most one is accepted", c)
	}
}

func (s *scanner) segment(what string, have int) uint32 {
	i := s.r.u32()
	if s.r.err == nil && int64(i) >= int64(have) {
		s.r.failf("%s %d is used, there are %d", what, i, have)
	}
	return i
}

// initPatch is for a memory.init at a position. The segment bounds what it does.
func (s *scanner) initPatch(segment uint32, at int) patch {
	p := patch{pos: at, end: s.r.pos, shift: bytesShift}
	if s.m.segmentSizes[segment] > chunk {
		p.chunks, p.segment = initializing, segment
	}
	return p
}
