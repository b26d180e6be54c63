package fuel

// emitter writes function bodies with their charges.
type emitter struct {
	body []byte
	// take is `global.get fuel; i64.const`, to be followed by the cost; keep is
	// `i64.sub; global.set fuel`; look traps where the counter is below zero.
	take, keep, look []byte
	read             []byte // global.get fuel
}

func newEmitter(fuel uint32) *emitter {
	read := appendU32([]byte{opGlobalGet}, fuel)
	e := &emitter{read: read}
	e.take = append(append(e.take, read...), opI64Const)
	e.keep = appendU32([]byte{opI64Sub, opGlobalSet}, fuel)
	e.look = append(append(e.look, read...),
		opI64Const, 0, opI64LtS, opIf, blockVoid, opUnreachable, opEnd)
	return e
}

// function appends the size and the body of the function that s has read.
func (e *emitter) function(out []byte, s *scanner) []byte {
	b := e.body[:0]
	// Two locals of our own, behind the original's, hold lengths.
	scratch := uint32(s.locals)
	if len(s.patches) > 0 {
		b = appendU32(b, uint32(s.groups+1))
		b = append(b, s.groupBytes...)
		b = append(b, 2, byte(I32))
	} else {
		b = appendU32(b, uint32(s.groups))
		b = append(b, s.groupBytes...)
	}
	src := s.r.b
	from := s.points[0].pos
	patches := s.patches
	for _, p := range s.points {
		for len(patches) > 0 && patches[0].pos < p.pos {
			b = append(b, src[from:patches[0].pos]...)
			b = e.patch(b, src, patches[0], scratch)
			from, patches = patches[0].end, patches[1:]
		}
		b = append(b, src[from:p.pos]...)
		b = e.charge(b, p)
		from = p.pos
	}
	for _, p := range patches {
		b = append(b, src[from:p.pos]...)
		b = e.patch(b, src, p, scratch)
		from = p.end
	}
	b = append(b, src[from:]...)
	e.body = b
	out = appendU32(out, uint32(len(b)))
	return append(out, b...)
}

func (e *emitter) charge(b []byte, p point) []byte {
	b = append(b, e.take...)
	b = appendS64(b, int64(p.cost))
	b = append(b, e.keep...)
	if p.look {
		b = append(b, e.look...)
	}
	return b
}

// patch charges an instruction by its last operand, a length of 32 bits without
// sign. The charge is made in 64 bits, where neither the largest length nor the
// shift overflows. Growth is charged once it has succeeded (the limit of the
// memory or table bounds that): to ask for too much and be told -1 is how
// allocators find out, and must not look like a loop.
func (e *emitter) patch(b, src []byte, p patch, scratch uint32) []byte {
	b = appendU32(append(b, opLocalTee), scratch)
	if p.growth {
		b = append(b, src[p.pos:p.end]...)
		b = appendU32(append(b, opLocalTee), scratch+1)
	}
	b = append(b, e.read...)
	b = appendU32(append(b, opLocalGet), scratch)
	b = append(b, opI64ExtendU32)
	if p.shift > 0 {
		b = appendS64(append(b, opI64Const), int64(p.shift))
		if p.growth {
			b = append(b, opI64Shl)
		} else {
			b = append(b, opI64ShrU)
		}
	}
	if p.growth {
		b = append(b, opI64Const, 0)
		b = appendU32(append(b, opLocalGet), scratch+1)
		b = append(b, opI32Const, 0x7f, opI32Ne, opSelect)
	}
	b = append(b, e.keep...)
	b = append(b, e.look...)
	if !p.growth {
		b = append(b, src[p.pos:p.end]...)
	}
	return b
}
