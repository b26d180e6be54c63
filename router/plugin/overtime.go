package plugin

import (
	"context"
	"sync"
	"time"

	"horizon-realtime/router/fuel"
)

// again is how long after a cut the next one follows, should that have got lost.
const again = time.Millisecond

// overtime cuts calls off that take too long. Fuel counts instructions, and one
// that waits for the machine's memory takes a hundred times as long as others;
// the engine cannot be interrupted meanwhile, and Go's collector would wait. A
// guest that looks at its fuel all the time may overwrite what a cut has left
// there, again and again; but that one has no fuel for long. Its methods are safe
// for concurrent use.
type overtime struct {
	limit time.Duration
	timer *time.Timer

	mu        sync.Mutex
	under     bool // way
	instances map[*instance]int64
}

func newOvertime(limit time.Duration) *overtime {
	o := &overtime{limit: limit, instances: make(map[*instance]int64)}
	o.timer = time.AfterFunc(limit, o.cut)
	o.timer.Stop()
	return o
}

// add makes an instance one that may be cut off. Its calls start with so much
// fuel.
func (o *overtime) add(in *instance, budget int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.overtime = o
	o.instances[in] = budget
}

// remove is for an instance that is going to be closed, or changes hands.
func (o *overtime) remove(in *instance) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.overtime = nil
	delete(o.instances, in)
}

// begin and end stand around what may take as long as the limit.
func (o *overtime) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.under = true
	o.timer.Reset(o.limit)
}

func (o *overtime) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.under = false
	o.timer.Stop()
}

// cut cuts off whichever instance is in a call. The others do not notice: their
// fuel is set anew before the next one.
func (o *overtime) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.under {
		return
	}
	for in, budget := range o.instances {
		_, _ = in.mod.ExportedFunction(fuel.Cut).Call(context.Background(), uint64(max(budget-leastSlow, 0)))
	}
	o.timer.Reset(again)
}
