package fuel

// Where charges stand.
//
// A charge point takes its cost from the counter before any of the instructions
// it pays for is run. It pays for code that it dominates, in the same turn of the
// same loop: WebAssembly can jump backwards only to the head of a loop, so each
// such instruction runs at most once for each time the point does, and no path
// reaches one unpaid.
//
// There is a point at every function's entry and at every loop's head. Code that
// is certain to run after a point (but for a trap) is added to that point, also
// across blocks that nothing leaves early. Code that may or may not run (an arm
// of an if, what follows a br_if) is added as well as long as that makes the
// point no more than slackLimit units too dear; past that it gets a point of its
// own, so that a large function is not charged for the arms it does not take.
// What stands behind a jump table is charged in runs (landing.go).

// Where the counter is looked at.
//
// A look is a safepoint: if the counter is below zero, the module calls the host,
// which lets Go's collector in, reads the clock, and hands out the next slice or
// ends the call. A point looks where it must: at an entry, at a loop's head, and
// where a function is left, if a call may have been made since the last look.
// (Without the last, a thousand frames that are on their way out of a recursion
// could each run what is left of their function.) It need not look if the code it
// pays for is certain to come to another look before any call: an entry that
// leads to a loop's head. And there is a look wherever more than stride units of
// code could run since the one before. Between two looks there is then only what
// is left of one function, of the one it returns to, and the beginning of
// another, each of them stride units at most: whatever is called looks, and so
// does the second function that is left.

// slackLimit is how many units of code that may not run a point pays for.
const slackLimit = 96

// stride is how many units of code may lie between two looks on any way through a
// function.
const stride = 2_000

// point is one charge: where in the body it stands, what it takes.
type point struct {
	pos   int
	cost  int
	slack int
	// looked is the position of the nearest look at the counter that is
	// certain to have happened here: pos itself where look is set.
	looked int
	look   bool
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
	// head and tail are the loop that begins or ends here; 0 is none.
	head, tail int
}

// patch is an instruction that is charged by its last operand, a length.
type patch struct {
	kind     patchKind
	pos, end int
	// shift turns the length into units: right, or left for growth.
	shift uint8
	// chunks is how many bytes of memory it may work on at once, and segment the
	// one it takes them from.
	chunks  chunks
	segment uint32
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
	heads   []head // but for the first
	// edits are what changes in the code: indices of functions, and labels.
	edits []edit
	// at is where the instruction at hand stands.
	at int
	// current is the point that pays unless a new one is made; the open stretch
	// of code starts at start, and costs cost so far.
	current     int
	start, cost int
	certain     bool
	dead        bool
	// ahead is how much code there is on the longest way from a look to here.
	ahead int
	// loops is how many of the open frames are loops.
	loops int
	// lastCall is the position of the last call so far; -1 where there was none.
	lastCall int
	// calls says that there are calls of functions that may call others, and
	// deposit is how many values the function's frame holds until it returns.
	calls   bool
	deposit int
}

func (m *meter) reset(pos, entry int) {
	m.points = append(m.points[:0], point{pos: pos, cost: entry, look: true, looked: pos})
	m.runs = append(m.runs[:0], run{})
	m.heads = append(m.heads[:0], head{})
	m.frames = append(m.frames[:0], frame{shape: leave, certain: true})
	m.patches, m.edits = m.patches[:0], m.edits[:0]
	m.current, m.certain, m.dead = 0, true, false
	m.lastCall, m.loops, m.calls = -1, 0, false
	m.ahead = 0
	m.begin(pos)
}

// begin starts a stretch of code at pos.
func (m *meter) begin(pos int) { m.start, m.cost = pos, 0 }

// pass takes note of what an instruction at pos costs.
func (m *meter) pass(pos, cost int) {
	if m.ahead += cost; m.ahead > stride && !m.dead {
		m.settle()
		m.look(point{pos: pos})
		m.begin(pos)
		m.ahead = cost
	}
	m.cost += cost
}

// look makes a point that looks the current one.
func (m *meter) look(p point) {
	p.look, p.looked = true, p.pos
	m.current, m.certain, m.ahead = len(m.points), true, 0
	m.points = append(m.points, p)
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
		m.points = append(m.points, point{pos: m.start, cost: m.cost, looked: p.looked})
		m.certain = true
	}
}

// secure takes the deposit for a frame of so many values from a function that
// calls others.
func (m *meter) secure(values int) {
	m.deposit = 0
	if m.calls {
		m.deposit = frameValues + values
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

// patch notes an instruction that is charged by a length, and looks.
func (m *meter) patch(p patch) {
	if !m.dead {
		m.patches = append(m.patches, p)
		m.ahead = 0
	}
}

// looksAtEnd says that the function looks where its body ends, to which branches
// may lead from anywhere.
func (m *meter) looksAtEnd() bool { return m.lastCall >= 0 }
