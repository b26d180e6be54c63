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
// does not take. What stands behind a jump table is charged in runs (landing.go).
//
// A point looks whether the counter is below zero where it must: at an entry,
// at a loop's head, and where a function is left, if a call may have been made
// since the last look. (Without the last, a thousand frames that are on their
// way out of a recursion could each run what is left of their function.) It need
// not look where the code it pays for is certain to come to another look before
// any call: an entry that leads to a loop's head. Between two looks there is
// then only code that runs forward, once, through what is left of one function,
// of the one it returns to, and through the beginning of another: whatever is
// called looks, and so does the second function that is left. A function of the
// host has to look itself, and to end the call where the counter is below zero.
//
// The trap stands behind the function's code, in a block around it that a look
// leaves with br_if: a trap in place costs three times as much, because the
// engine puts what it takes to leave the module in line with the hot path. A
// second block, of the function's results, makes sure that the labels of the
// original mean what they meant, and that its end leaves what it must.

// What a frame takes of the engine's stack is paid by a deposit: a function that
// calls others takes it at its entry, and gives it back where it returns. The
// stack is bounded by the fuel that way, without anything else to count.

// slackLimit is how many units of code that may not run a point pays for.
const slackLimit = 64

// looksPerTrap is how many looks share one trap. The compiler takes time
// quadratic in the branches to one label.
const looksPerTrap = 512

// point is one charge: where in the body it stands, what it takes.
type point struct {
	pos   int
	cost  int
	slack int
	// looked is the position of the nearest look at the counter that is
	// certain to have happened here: pos itself where look is set.
	looked int
	look   bool
	// depth is how many blocks stand around it.
	depth int
	// run is the one that it stands in or before; 0 is none. Where it is free,
	// those that come by have paid.
	run  int
	free bool
	// jump is where the instruction stands that may lead into runs, ahead what
	// is in cost for that.
	jump, ahead int
	// returns says that the deposit is given back here: no call comes between
	// the point and the return.
	returns bool
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
	// landed says that the jump of entry leads to the frame's end, strange that
	// another branch does.
	landed, strange bool
}

// patch is an instruction that is charged by its last operand, a length.
type patch struct {
	kind     patchKind
	pos, end int
	// shift turns the length into units: right, or left for growth.
	shift uint8
	// depth is how many blocks stand around it.
	depth int
}

type patchKind uint8

const (
	// byLength is charged before it is run.
	byLength patchKind = iota
	// byGrowth is charged after it has succeeded.
	byGrowth
)

// meter follows the flow of control through one function and places the
// points. Its slices are used again for the next function.
type meter struct {
	// allowed is how much slack a point may have, slackLimit but in tests.
	allowed int
	// exact gives every stretch a point of its own: tests compare with that.
	exact   bool
	points  []point
	runs    []run // but for the first
	frames  []frame
	patches []patch
	// at is where the instruction at hand stands.
	at int
	// current is the point that pays unless a new one is made; the open stretch
	// of code starts at start, in depth blocks, and costs cost so far.
	current            int
	start, depth, cost int
	certain            bool
	dead               bool
	// loops is how many of the open frames are loops.
	loops int
	// lastCall is the position of the last call so far; -1 where there was none.
	lastCall int
	// calls says that there are calls of functions that may call others, and
	// deposit is what the function's frame costs until it returns.
	calls   bool
	deposit int
}

func (m *meter) reset(pos, entry int) {
	m.points = append(m.points[:0], point{pos: pos, cost: entry, look: true, looked: pos})
	m.runs = append(m.runs[:0], run{})
	m.frames = append(m.frames[:0], frame{shape: leave, certain: true})
	m.patches = m.patches[:0]
	m.current, m.certain, m.dead = 0, true, false
	m.lastCall, m.loops, m.calls = -1, 0, false
	m.begin(pos)
}

// begin starts a stretch of code at pos.
func (m *meter) begin(pos int) {
	m.start, m.depth, m.cost = pos, len(m.frames)-1, 0
}

// settle decides who pays for the open stretch.
func (m *meter) settle() {
	p := &m.points[m.current]
	switch {
	case m.dead || m.cost == 0 || p.free && m.extend(&m.runs[p.run]):
	case m.certain && !m.exact && !p.free:
		p.cost += m.cost
	case p.slack+m.cost <= m.allowed && !m.exact && !p.free:
		p.cost += m.cost
		p.slack += m.cost
	default:
		m.current = len(m.points)
		m.points = append(m.points, point{pos: m.start, depth: m.depth, cost: m.cost, looked: p.looked})
		m.certain = true
	}
}

// open starts a block, loop or if whose first instruction is at pos.
func (m *meter) open(s shape, pos int) {
	m.settle()
	m.frames = append(m.frames, frame{
		shape: s, entry: m.current, certain: m.certain, dead: m.dead, target: len(m.frames),
	})
	if s == loop {
		m.loops++
	}
	switch {
	case m.dead:
	case s == loop:
		if p := &m.points[m.current]; m.certain && m.lastCall < p.looked {
			p.look = false
		}
		m.current = len(m.points)
		m.points = append(m.points, point{
			pos: pos, depth: len(m.frames) - 1, cost: loopCost, look: true, looked: pos,
		})
		m.certain = true
	case s == conditional:
		m.certain = false
	}
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
	m.current, m.certain, m.dead = f.entry, false, f.dead
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
	if outer := &m.frames[height-1]; f.target < outer.target {
		outer.target = f.target
	}
	m.current, m.dead = f.entry, f.dead
	m.certain = f.certain && f.target >= height
	m.land(&f, pos, before, ended)
	m.begin(pos)
	return true
}

// branch notes that a branch leads to the label, which must exist.
func (m *meter) branch(label uint32) {
	top := &m.frames[len(m.frames)-1]
	target := len(m.frames) - 1 - int(label)
	top.target = min(top.target, target)
	m.branchesTo(&m.frames[target])
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
		m.points = append(m.points, point{pos: pos, depth: len(m.frames) - 1, returns: true, look: look})
	}
}

// secure takes the deposit for a frame of so many values from a function that
// calls others.
func (m *meter) secure(values int) {
	m.deposit = 0
	if m.calls {
		m.deposit = depositPerValue * (frameValues + values)
		m.points[0].cost += m.deposit
	}
}

// called notes a call at pos.
func (m *meter) called(pos int) {
	if !m.dead {
		m.lastCall = pos
	}
}

// nests notes a call of what may be a function of the module.
func (m *meter) nests() { m.calls = true }

// patch notes an instruction that is charged by a length.
func (m *meter) patch(p patch) {
	if !m.dead {
		p.depth = len(m.frames) - 1
		m.patches = append(m.patches, p)
	}
}

// looks counts what may branch to a trap.
func (m *meter) looks() int {
	n := len(m.patches)
	if m.looksAtEnd() {
		n++
	}
	for i := range m.points {
		if m.points[i].look {
			n++
		}
	}
	return n
}

// looksAtEnd says that the function looks where its body ends, to which branches
// may lead from anywhere.
func (m *meter) looksAtEnd() bool { return m.lastCall >= 0 }
