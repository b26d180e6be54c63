package fuel

// Where jumps lead.
//
// Go's compiler makes of a function a row of stretches, one behind the end of
// each block, that run on into one another, and a jump table before them that
// leads to any. None of them dominates the next, so that each would want a point
// of its own. Instead some in a row make a run, which is paid for from both
// sides: by the point that comes before it, for who runs on into it, and by the
// point of the jump, for who lands in its middle. The latter takes what the
// dearest of its runs costs, once: it jumps once.
//
// That holds for a block whose end is branched to from one instruction only,
// one that is certain to run after the point that pays there (the block itself
// may be left early). A run costs slackLimit units at the most, so that neither
// side pays more than that for what it does not run.

// run is stretches in a row that are paid for together.
type run struct {
	// point pays for all of it: control runs on from there. It is -1 where
	// control only jumps into the run.
	point int
	// jump is the point that control jumps from, cost what it pays for.
	jump, cost int
}

// branchesTo notes that the instruction at m.at leads to the end of f.
func (m *meter) branchesTo(f *frame) {
	if m.dead {
		return
	}
	p := &m.points[m.current]
	if m.certain && m.current == f.entry && !p.free && (p.jump == 0 || p.jump == m.at) {
		p.jump, f.landed = m.at, true
	} else {
		f.strange = true
	}
}

// land makes what stands behind the end of f, at pos, part of a run if it can be.
// Control comes there from code that before pays for, or only by a jump where
// that has ended.
func (m *meter) land(f *frame, pos, before int, ended bool) {
	if m.certain || m.dead || m.exact || m.allowed == 0 || f.shape != block || !f.landed || f.strange {
		return
	}
	in := len(m.runs)
	switch b := &m.points[before]; {
	case ended:
		m.runs = append(m.runs, run{point: -1, jump: f.entry})
	case b.run > 0 && m.runs[b.run].jump == f.entry:
		in = b.run
	case b.run > 0:
		return
	default:
		b.run = in
		m.runs = append(m.runs, run{point: before, jump: f.entry})
	}
	m.current, m.certain = len(m.points), true
	m.points = append(m.points, point{pos: pos, looked: m.points[f.entry].looked, run: in, free: true})
}

// extend adds the open stretch to the run; false where that makes it too dear.
func (m *meter) extend(r *run) bool {
	if r.cost+m.cost > m.allowed {
		return false
	}
	r.cost += m.cost
	if r.point >= 0 {
		m.points[r.point].cost += m.cost
	}
	if jump := &m.points[r.jump]; r.cost > jump.ahead {
		jump.cost += r.cost - jump.ahead
		jump.ahead = r.cost
	}
	return true
}
