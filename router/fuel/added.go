package fuel

import "slices"

// added is a function that the original does not have. All of them stand behind
// those of the original.
type added struct {
	params, results []ValueType
	body            []byte
}

// refillType is what the host is given and returns: what the counter says.
var refillType = []ValueType{I64}

// three are the operands of memory.fill, memory.copy and memory.init.
var three = []ValueType{I32, I32, I32}

// chunk is how many bytes an instruction works on at once, while nothing else in
// the process may stop: a fraction of a millisecond, if the memory was never
// touched before.
const chunk = 1 << 20

// chunks is how an instruction that may have more than that to do is taken to
// pieces.
type chunks uint8

const (
	whole chunks = iota // it is not
	filling
	copying
	initializing
)

// refill is the index of the function that a safepoint calls, which is the first
// one added. A call of the module's own functions is shorter than one of the host.
func (m *module) refill() uint32 { return m.addedIndex(0) }

func (m *module) addedIndex(n int) uint32 { return uint32(len(m.funcs) + 1 + n) }

// addRefill adds it: fuel = host.refill(fuel).
func (m *module) addRefill() {
	b := appendU32([]byte{0, opGlobalGet}, m.fuelIndex()) // no locals
	b = appendU32(append(appendCall(b, m.hostRefill()), opGlobalSet), m.fuelIndex())
	m.refillType = m.typeIndex(refillType, refillType)
	m.add(added{body: append(b, opEnd)})
}

func (m *module) add(f added) uint32 {
	m.typeIndex(f.params, f.results)
	m.added = append(m.added, f)
	return m.addedIndex(len(m.added) - 1)
}

// chunker is the index of the function that an instruction on memory calls instead
// of refill. It is given the instruction's operands and returns those of the last
// chunk, having done the others with a safepoint before each.
func (m *module) chunker(p patch) uint32 {
	key := [2]uint32{uint32(p.chunks), p.segment}
	index, ok := m.chunkers[key]
	if !ok {
		index = m.add(added{three, three, m.chunkerBody(p)})
		if m.chunkers == nil {
			m.chunkers = map[[2]uint32]uint32{}
		}
		m.chunkers[key] = index
	}
	return index
}

// The locals of a chunker are the instruction's operands: where to, what (a byte,
// an address, or an offset in the segment), and how many bytes.
const (
	localTo = iota
	localWhat
	localLength
)

// chunkerBody leaves what would reach past the memory or the segment to the
// instruction, which then does nothing but trap:
//
//	call $refill
//	if length > chunk && to + length <= size of the memory && (what + length <= …)
//	  loop
//	    ;; a chunk
//	    call $refill
//	    br_if 0 (length > chunk)
//	  end
//	end
//	to; what; length
func (m *module) chunkerBody(p patch) []byte {
	get := func(local byte) []byte { return []byte{opLocalGet, local} }
	wide := func(local byte) []byte { return append(get(local), opI64ExtendU32) }
	number := appendS64([]byte{opI32Const}, chunk)
	add := func(local byte) []byte { return slices.Concat(get(local), number, []byte{opI32Add, opLocalSet, local}) }
	within := func(local byte, size []byte) []byte {
		return slices.Concat(wide(local), wide(localLength), []byte{opI64Add}, size, []byte{opI64LeU})
	}
	more := slices.Concat(get(localLength), number, []byte{opI32GtU})
	shorten := slices.Concat(get(localLength), number, []byte{opI32Sub, opLocalSet, localLength})
	memory := []byte{opMemorySize, 0, opI64ExtendU32, opI64Const, 16, opI64Shl}

	fits := slices.Concat(more, within(localTo, memory), []byte{opI32And})
	step := slices.Concat(get(localTo), get(localWhat), number)
	switch p.chunks {
	case filling:
		step = slices.Concat(step, []byte{prefixMisc, miscMemoryFill, 0}, add(localTo), shorten)
	case copying:
		fits = slices.Concat(fits, within(localWhat, memory), []byte{opI32And})
		upwards := slices.Concat(step, []byte{prefixMisc, miscMemoryCopy, 0, 0}, add(localTo), add(localWhat), shorten)
		last := func(local byte) []byte { return slices.Concat(get(local), get(localLength), []byte{opI32Add}) }
		downwards := slices.Concat(shorten, last(localTo), last(localWhat), number, []byte{prefixMisc, miscMemoryCopy, 0, 0})
		step = slices.Concat(get(localTo), get(localWhat), []byte{opI32LeU, opIf, blockVoid}, upwards, []byte{opElse}, downwards, []byte{opEnd})
	case initializing:
		size := appendS64([]byte{opI64Const}, int64(m.segmentSizes[p.segment]))
		fits = slices.Concat(fits, within(localWhat, size), []byte{opI32And})
		init := append(appendU32([]byte{prefixMisc, miscMemoryInit}, p.segment), 0)
		step = slices.Concat(step, init, add(localTo), add(localWhat), shorten)
	}
	refill := appendCall(nil, m.refill())
	return slices.Concat([]byte{0}, refill, fits, []byte{opIf, blockVoid, opLoop, blockVoid}, step, refill, more,
		[]byte{opBrIf, 0, opEnd, opEnd}, get(localTo), get(localWhat), get(localLength), []byte{opEnd})
}
