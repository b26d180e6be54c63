package fuel

// frame is a block that is open.
type frame struct {
	shape shape
	// entry is the point that pays at the frame's start, and again after its
	// end; certain says whether the code there is certain to run after it.
	entry   int
	certain bool
	// dead says that the frame stands in code that cannot be reached.
	dead bool
	// target is the outermost frame a branch from within leads to.
	target int
	// landed says that the jump of entry leads to the frame's end, strange that
	// another branch does.
	landed, strange bool
	// before is how much code there is on the longest way from a look to the
	// frame's start, ahead on that to a branch to its end, or to the end of an
	// arm before.
	before, ahead int
	// head is the loop that it is, heads how many of the frames up to this one
	// are such loops.
	head, heads int
}

// head is a loop that can be reached: its type, and its point.
type head struct {
	kind   []byte
	params []ValueType
	point  int
}

// loopBlocks is how many blocks the emitter puts around the body of a loop.
const loopBlocks = 3

// open starts a block, loop or if of the given type, whose first instruction is
// at pos.
func (m *meter) open(s shape, kind []byte, params []ValueType, pos int) {
	m.settle()
	f := frame{
		shape: s, entry: m.current, certain: m.certain, dead: m.dead, target: len(m.frames),
		before: m.ahead, heads: m.frames[len(m.frames)-1].heads,
	}
	if s == loop {
		m.loops++
	}
	switch {
	case m.dead:
	case s == loop:
		if p := &m.points[m.current]; m.certain && m.lastCall < p.looked {
			p.look = false
		}
		f.head, f.heads = len(m.heads), f.heads+1
		m.look(point{pos: pos, cost: loopCost, head: f.head})
		m.heads = append(m.heads, head{kind, params, m.current})
	case s == conditional:
		m.certain = false
	}
	m.frames = append(m.frames, f)
	m.begin(pos)
}

// otherwise starts the other arm of an if; false where there is no if.
func (m *meter) otherwise(pos int) bool {
	f := &m.frames[len(m.frames)-1]
	if f.shape != conditional {
		return false
	}
	f.shape = otherwise
	m.settle()
	if !m.dead {
		f.ahead = max(f.ahead, m.ahead)
	}
	m.current, m.certain, m.dead, m.ahead = f.entry, false, f.dead, f.before
	m.begin(pos)
	return true
}

// close ends a frame before pos; false where that was the function.
func (m *meter) close(pos int) bool {
	m.settle()
	height := len(m.frames) - 1
	f := m.frames[height]
	before, ended := m.current, m.dead
	m.frames = m.frames[:height]
	if height == 0 {
		return false
	}
	if f.shape == loop {
		m.loops--
	}
	if f.head > 0 {
		m.points = append(m.points, point{pos: m.at, tail: f.head})
	}
	if outer := &m.frames[height-1]; f.target < outer.target {
		outer.target = f.target
	}
	m.ahead = f.longest(m.ahead, ended)
	m.current, m.dead = f.entry, f.dead
	m.certain = f.certain && f.target >= height
	m.land(&f, pos, before, ended)
	m.begin(pos)
	return true
}

// longest is how much code there is on the longest way from a look to the end of
// the frame: by running on into it, unless that has ended, by a branch, or past an
// if that has no else.
func (f *frame) longest(ahead int, ended bool) int {
	if ended {
		ahead = 0
	}
	if f.shape == conditional {
		ahead = max(ahead, f.before)
	}
	return max(ahead, f.ahead)
}

// branch notes that a branch leads to the label, which must exist, and stands at
// code[from:to].
func (m *meter) branch(label uint32, from, to int) {
	top := &m.frames[len(m.frames)-1]
	target := len(m.frames) - 1 - int(label)
	top.target = min(top.target, target)
	f := &m.frames[target]
	crossed := top.heads - f.heads
	if f.head > 0 {
		crossed++
	}
	if crossed > 0 {
		m.edits = append(m.edits, edit{from, to, label + uint32(loopBlocks*crossed)})
	}
	if f.shape != loop && !m.dead {
		f.ahead = max(f.ahead, m.ahead)
	}
	m.branchesTo(f)
}

// fork: what follows pos may not run.
func (m *meter) fork(pos int) {
	m.settle()
	m.certain = false
	m.begin(pos)
}

// stop: what follows pos up to the end of the frame cannot run.
func (m *meter) stop(pos int) {
	m.settle()
	m.dead = true
	m.begin(pos)
}

// returned notes a return at pos, which leaves every frame.
func (m *meter) returned(pos, next int) {
	m.frames[len(m.frames)-1].target = 0
	reached := !m.dead
	m.stop(next)
	if !reached {
		return
	}
	p := &m.points[m.current]
	look := m.lastCall >= p.looked
	if m.certain && m.lastCall < p.pos {
		p.returns, p.look = true, p.look || look
	} else {
		m.points = append(m.points, point{pos: pos, returns: true, look: look})
	}
}
