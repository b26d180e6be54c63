package fuel

import "slices"

// emitter writes function bodies with their charges.
type emitter struct {
	m    *module
	body []byte
	// read is `global.get fuel`; keep is `i64.sub; global.set fuel`.
	read, keep []byte
	// spent leaves whether the counter is below zero, and look calls for fuel
	// if it is.
	spent, look []byte
	// Of the function at hand: its original code, up to where that has been
	// written, the edits ahead, and the first of the scratch locals.
	src     []byte
	from    int
	edits   []edit
	scratch uint32
}

func newEmitter(m *module) *emitter {
	e := &emitter{m: m, read: appendU32([]byte{opGlobalGet}, m.fuelIndex())}
	e.keep = appendU32([]byte{opI64Sub, opGlobalSet}, m.fuelIndex())
	e.spent = slices.Concat(e.read, []byte{opI64Const, 0, opI64LtS})
	e.look = slices.Concat(e.read, []byte{opI64Const, 0, opI64GeS}, orElse([]byte{blockVoid}, m.refill()))
	return e
}

// orElse calls a function where the condition on the stack does not hold. The
// engine's compiler follows the first arm of an if first, and keeps in registers
// what it keeps there along it. So the call, which leaves none, has to be in the
// other: this way round a look costs half.
func orElse(kind []byte, function uint32) []byte {
	b := append(append([]byte{opIf}, kind...), opElse)
	return append(appendCall(b, function), opEnd)
}

func appendCall(b []byte, function uint32) []byte { return appendU32(append(b, opCall), function) }

// function appends the size and the body of the function that s has read.
func (e *emitter) function(out []byte, s *scanner) []byte {
	e.src, e.from, e.edits = s.r.b, s.points[0].pos, s.edits
	b := e.locals(e.body[:0], s)
	if s.looksAtEnd() {
		// Branches out of the function lead to what has to be done at its end.
		b = e.m.appendBlockOf(b, s.results)
	}
	patches := s.patches
	for i, p := range s.points {
		for len(patches) > 0 && patches[0].pos < p.pos {
			b = e.patch(e.copy(b, patches[0].pos), patches[0])
			patches = patches[1:]
		}
		b = e.copy(b, p.pos)
		deposit := 0
		if i == 0 {
			deposit = s.deposit
		}
		if p.returns {
			deposit -= s.deposit
		}
		b = e.charge(b, p.cost, deposit)
		switch {
		case p.head > 0:
			b = e.head(b, s.heads[p.head])
		case p.tail > 0:
			b = e.tail(b, s.points[s.heads[p.tail].point].cost)
		case p.look:
			b = append(b, e.look...)
		}
	}
	for _, p := range patches {
		b = e.patch(e.copy(b, p.pos), p)
	}
	b = e.copy(b, len(e.src))
	if s.looksAtEnd() {
		b = append(e.charge(b, 0, -s.deposit), e.look...)
		b = append(b, opEnd)
	}
	e.body = b
	out = appendU32(out, uint32(len(b)))
	return append(out, b...)
}

// copy appends the original code up to a position, with its edits.
func (e *emitter) copy(b []byte, to int) []byte {
	n := 0
	for n < len(e.edits) && e.edits[n].from < to {
		n++
	}
	b = appendEdited(b, e.src[:to], e.from, e.edits[:n])
	e.from, e.edits = to, e.edits[n:]
	return b
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

// charge takes the cost, and a deposit for so many values, or gives that back if
// it is below zero.
func (e *emitter) charge(b []byte, cost, deposit int) []byte {
	if n := int64(cost)<<stackBits - int64(deposit); n != 0 {
		b = append(b, e.read...)
		b = appendS64(append(b, opI64Const), n)
		b = append(b, e.keep...)
	}
	if deposit > largeFrame {
		b = appendS64(append(append(b, e.read...), opI64Const), stackMask)
		b = appendS64(append(b, opI64And, opI64Const), stackValues)
		b = append(append(b, opI64LeU), orElse([]byte{blockVoid}, e.m.refill())...)
	}
	return b
}

// head and tail stand around the body of a loop:
//
//	loop $loop
//	  ;; the loop's charge
//	  block $end
//	    block $spent
//	      br_if $spent (the counter is below zero)
//	      block
//	        ;; the body
//	      end
//	      br $end
//	    end
//	    call $refill
//	    ;; the loop's charge, back
//	    br $loop
//	  end
//	end
//
// That keeps the call out of the way of the code that runs. The innermost block
// is there so that the body must leave what the loop does, and nothing beneath.
func (e *emitter) head(b []byte, h head) []byte {
	b = append(append(b, opBlock), h.kind...)
	b = append(b, opBlock)
	if len(h.params) == 0 {
		b = append(b, blockVoid)
	} else {
		b = appendS64(b, int64(e.m.typeIndex(h.params, h.params)))
	}
	b = append(append(b, e.spent...), opBrIf, 0)
	return append(append(b, opBlock), h.kind...)
}

func (e *emitter) tail(b []byte, cost int) []byte {
	b = appendCall(append(b, opEnd, opBr, 1, opEnd), e.m.refill())
	return append(e.charge(b, -cost, 0), opBr, 1, opEnd)
}

func (e *emitter) patch(b []byte, p patch) []byte {
	instruction := e.src[p.pos:p.end]
	e.from = p.end
	// The charge is made in 64 bits, where neither the largest length nor the
	// shifts overflow. Growth is charged once it has succeeded, and how much of
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
	b = append(b, opI64Const, stackBits, opI64Shl)
	if p.kind == byGrowth {
		b = append(b, opI64Const, 0)
		b = appendU32(append(b, opLocalGet), e.scratch+1)
		b = append(b, opI32Const, minusOne, opI32Ne, opSelect)
	}
	b = append(b, e.keep...)
	if p.chunks == whole {
		b = append(b, e.look...)
	} else {
		b = append(append(b, e.read...), opI64Const, 0, opI64GeS)
		b = append(b, orElse(appendS64(nil, int64(e.m.typeIndex(three, three))), e.m.chunker(p))...)
	}
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
	return appendS64(b, int64(m.typeIndex(nil, results)))
}
