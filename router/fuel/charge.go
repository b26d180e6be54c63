package fuel

// Where charges stand.
//
// A charge point takes its cost from the counter before any of the
// instructions it pays for is run. It pays for code that it dominates, in the
// same turn of the same loop: WebAssembly can jump backwards only to the head
// of a loop, so each such instruction runs at most once for each time the point
// does, and no path reaches one unpaid.
//
// There is a point at every function's entry and at every loop's head. Code
// that is certain to run after a point (but for a trap) is added to that point,
// also across blocks that nothing leaves early. Code that may or may not run
// (an arm of an if, what follows a br_if) is added as well as long as that
// makes the point no more than slackLimit units too dear; past that it gets a
// point of its own, so that a large function is not charged for the arms it
// does not take.
//
// A point looks whether the counter is below zero where it must: at an entry,
// at a loop's head, and where a call may have been made since the last look.
// Between two looks there is then only code that runs forward through one
// function once.

// slackLimit is how many units of code that may not run a point pays for.
const slackLimit = 16

// point is one charge: where in the body it stands, what it takes.
type point struct {
	pos   int
	cost  int
	slack int
	// looked is the position of the nearest look at the counter that is
	// certain to have happened here: pos itself where look is set.
	looked int
	look   bool
}

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
	// uses counts the branches to the frame's label.
	uses int
}

// patch is an instruction that needs more than a constant charge: its length
// operand decides.
type patch struct {
	pos, end int
	// shift turns the operand into units: right, or left for growth.
	shift uint8
	// growth is charged afterwards, if it succeeded.
	growth bool
}

// meter follows the flow of control through one function and places the
// points. Its slices are used again for the next function.
type meter struct {
	points  []point
	frames  []frame
	patches []patch
	// current is the point that pays unless a new one is made; the open stretch
	// of code starts at start and costs cost so far.
	current     int
	start, cost int
	certain     bool
	dead        bool
	// lastCall is the position of the last call so far, calledBefore that of
	// the last one before start; -1 where there was none.
	lastCall, calledBefore int
}

func (m *meter) reset(pos, entry int) {
	m.points = append(m.points[:0], point{pos: pos, cost: entry, look: true, looked: pos})
	m.frames = append(m.frames[:0], frame{shape: leave, certain: true})
	m.patches = m.patches[:0]
	m.current, m.start, m.cost = 0, pos, 0
	m.certain, m.dead = true, false
	m.lastCall, m.calledBefore = -1, -1
}

// settle decides who pays for the open stretch, and starts the next one at pos,
// with the same certainty.
func (m *meter) settle(pos int) {
	p := &m.points[m.current]
	switch {
	case m.dead || m.cost == 0:
	case m.certain:
		p.cost += m.cost
	case p.slack+m.cost <= slackLimit:
		p.cost += m.cost
		p.slack += m.cost
	default:
		next := point{pos: m.start, cost: m.cost, looked: p.looked}
		if m.calledBefore >= p.looked {
			next.look, next.looked = true, m.start
		}
		m.current = len(m.points)
		m.points = append(m.points, next)
		m.certain = true
	}
	m.start, m.cost, m.calledBefore = pos, 0, m.lastCall
}

// open starts a block, loop or if whose first instruction is at pos.
func (m *meter) open(s shape, pos int) {
	m.settle(pos)
	m.frames = append(m.frames, frame{
		shape: s, entry: m.current, certain: m.certain, dead: m.dead, target: len(m.frames),
	})
	switch {
	case m.dead:
	case s == loop:
		m.current = len(m.points)
		m.points = append(m.points, point{pos: pos, cost: loopCost, look: true, looked: pos})
		m.certain = true
	case s == conditional:
		m.certain = false
	}
}

// otherwise starts the other arm of an if; false where there is no if.
func (m *meter) otherwise(pos int) bool {
	f := &m.frames[len(m.frames)-1]
	if f.shape != conditional {
		return false
	}
	f.shape = otherwise
	m.settle(pos)
	m.current, m.certain, m.dead = f.entry, false, f.dead
	return true
}

// close ends a frame before pos; false where that was the function.
func (m *meter) close(pos int) bool {
	m.settle(pos)
	height := len(m.frames) - 1
	f := m.frames[height]
	m.frames = m.frames[:height]
	if height == 0 {
		return false
	}
	if outer := &m.frames[height-1]; f.target < outer.target {
		outer.target = f.target
	}
	m.current, m.dead = f.entry, f.dead
	m.certain = f.certain && f.target >= height
	return true
}

// branch notes that a branch leads to the label; false where there is none.
func (m *meter) branch(label uint32) (uses int, ok bool) {
	if int64(label) >= int64(len(m.frames)) {
		return 0, false
	}
	top := &m.frames[len(m.frames)-1]
	target := len(m.frames) - 1 - int(label)
	top.target = min(top.target, target)
	m.frames[target].uses++
	return m.frames[target].uses, true
}

// fork: what follows pos may not run.
func (m *meter) fork(pos int) {
	m.settle(pos)
	m.certain = false
}

// stop: what follows pos up to the end of the frame cannot run.
func (m *meter) stop(pos int) {
	m.settle(pos)
	m.dead = true
}

// returned notes a return, which leaves every frame.
func (m *meter) returned() { m.frames[len(m.frames)-1].target = 0 }

// called notes a call at pos.
func (m *meter) called(pos int) {
	if !m.dead {
		m.lastCall = pos
	}
}

// patch notes an instruction that is charged by a length.
func (m *meter) patch(p patch) {
	if !m.dead {
		m.patches = append(m.patches, p)
	}
}
