package fuel

import "fmt"

// emitter writes function bodies with their charges.
type emitter struct {
	m    *module
	body []byte
	// read is `global.get fuel`; keep is `i64.sub; global.set fuel`.
	read, keep []byte
	// Of the function at hand: how many blocks for traps stand around its code,
	// how many looks have been written, and the first of the scratch locals.
	traps, looks int
	scratch      uint32
}

func newEmitter(m *module) *emitter {
	fuel := m.fuelIndex()
	return &emitter{
		m:    m,
		read: appendU32([]byte{opGlobalGet}, fuel),
		keep: appendU32([]byte{opI64Sub, opGlobalSet}, fuel),
	}
}

// function appends the size and the body of the function that s has read.
func (e *emitter) function(out []byte, s *scanner) []byte {
	e.traps = (s.meter.looks() + looksPerTrap - 1) / looksPerTrap
	e.looks = 0
	b := e.locals(e.body[:0], s)
	for range e.traps {
		b = append(b, opBlock, blockVoid)
	}
	b = e.m.appendBlockOf(b, s.results)
	src := s.r.b
	from := s.points[0].pos
	patches := s.patches
	for _, p := range s.points {
		for len(patches) > 0 && patches[0].pos < p.pos {
			b = append(b, src[from:patches[0].pos]...)
			b = e.patch(b, src, patches[0])
			from, patches = patches[0].end, patches[1:]
		}
		b = append(b, src[from:p.pos]...)
		if p.returns {
			p.cost -= s.deposit
		}
		b = e.charge(b, p)
		from = p.pos
	}
	for _, p := range patches {
		b = append(b, src[from:p.pos]...)
		b = e.patch(b, src, p)
		from = p.end
	}
	b = append(b, src[from:]...)
	b = e.charge(b, point{cost: -s.deposit, look: s.looksAtEnd(), depth: -1})
	b = append(b, opReturn)
	for range e.traps {
		b = append(b, opEnd, opUnreachable)
	}
	b = append(b, opEnd)
	e.body = b
	out = appendU32(out, uint32(len(b)))
	return append(out, b...)
}

// cut appends the body of the function that is exported under Cut.
func (e *emitter) cut(out []byte) []byte {
	m := e.m
	m.cutType = len(m.types)
	m.types = append(m.types, FuncType{Params: []ValueType{I64}})
	b := append([]byte{0}, e.read...) // no locals
	b = append(b, opLocalGet, 0, opI64LtS, opIf, blockVoid)
	b = appendS64(append(b, opI64Const), CutOff)
	b = appendU32(append(b, opGlobalSet), m.fuelIndex())
	b = append(b, opEnd, opEnd)
	return append(appendU32(out, uint32(len(b))), b...)
}

// locals appends the declarations: the original's, and behind them two of our
// own where there are lengths to hold.
func (e *emitter) locals(b []byte, s *scanner) []byte {
	e.scratch = uint32(s.locals)
	if len(s.patches) == 0 {
		b = appendU32(b, uint32(s.groups))
		return append(b, s.groupBytes...)
	}
	b = appendU32(b, uint32(s.groups+1))
	b = append(b, s.groupBytes...)
	return append(b, 2, byte(I32))
}

func (e *emitter) charge(b []byte, p point) []byte {
	if p.cost != 0 {
		b = append(b, e.read...)
		b = appendS64(append(b, opI64Const), int64(p.cost))
		b = append(b, e.keep...)
	}
	if p.look {
		b = e.look(b, p.depth)
	}
	return b
}

// look leaves the code for a trap where the counter is below zero.
func (e *emitter) look(b []byte, depth int) []byte {
	trap := 1 + e.looks/looksPerTrap // 0 is the block of the function's results
	e.looks++
	b = append(b, e.read...)
	b = append(b, opI64Const, 0, opI64LtS, opBrIf)
	return appendU32(b, uint32(depth+trap))
}

func (e *emitter) patch(b, src []byte, p patch) []byte {
	instruction := src[p.pos:p.end]
	// The charge is made in 64 bits, where neither the largest length nor the
	// shift overflows. Growth is charged once it has succeeded, and how much of
	// it can is bounded: to ask for too much and be told -1 is how allocators
	// find out, and must not look like a loop.
	b = appendU32(append(b, opLocalTee), e.scratch)
	if p.kind == byGrowth {
		b = append(b, instruction...)
		b = appendU32(append(b, opLocalTee), e.scratch+1)
	}
	b = append(b, e.read...)
	b = appendU32(append(b, opLocalGet), e.scratch)
	b = append(b, opI64ExtendU32)
	if p.shift > 0 {
		b = append(b, opI64Const, p.shift)
		if p.kind == byGrowth {
			b = append(b, opI64Shl)
		} else {
			b = append(b, opI64ShrU)
		}
	}
	if p.kind == byGrowth {
		b = append(b, opI64Const, 0)
		b = appendU32(append(b, opLocalGet), e.scratch+1)
		b = append(b, opI32Const, minusOne, opI32Ne, opSelect)
	}
	b = append(b, e.keep...)
	b = e.look(b, p.depth)
	if p.kind == byLength {
		b = append(b, instruction...)
	}
	return b
}

// appendBlockOf opens a block that leaves the given results. One of several
// results needs a type of its own in the type section.
func (m *module) appendBlockOf(b []byte, results []ValueType) []byte {
	b = append(b, opBlock)
	switch len(results) {
	case 0:
		return append(b, blockVoid)
	case 1:
		return append(b, byte(results[0]))
	}
	key := fmt.Sprint(results)
	i, ok := m.blockTypes[key]
	if !ok {
		i = len(m.types)
		m.types = append(m.types, FuncType{Results: results})
		if m.blockTypes == nil {
			m.blockTypes = map[string]int{}
		}
		m.blockTypes[key] = i
	}
	return appendS64(b, int64(i))
}
