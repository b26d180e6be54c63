package plugin

import (
	"context"
	"time"

	"horizon-realtime/router/event"
)

// SlowHandle is how long a Handle may take before it is asked whose doing that
// was.
const SlowHandle = time.Millisecond

// slowestUnit is the longest that a unit of fuel lasts in ordinary code. What took
// longer counts as this: mostly it is the machine's doing, which had something
// else to run, and no filter may fail for that. One that waits for the machine's
// memory all the time is still found, at a fifth of the time it takes.
const slowestUnit = 2 * time.Nanosecond

// leastSlow is the fuel below which a call is not slow, however long it took.
const leastSlow = int64(SlowHandle / slowestUnit)

// HandleInTime is Handle for a router that others wait for: a call that takes
// too long is cut off, and filters whose calls are slow all the time fail.
func (w *Worker) HandleInTime(ctx context.Context, n *event.Notification, emit func(Emission)) Outcome {
	w.overtime.begin()
	began := time.Now()
	o := w.Handle(ctx, n, emit)
	took := time.Since(began)
	w.overtime.end()
	if took > SlowHandle {
		w.overran(ctx, n, took)
	}
	return o
}

// overran takes note that the last Handle, of n, took that long. Fuel
// bounds what one call does; this is what bounds a filter that does nearly as
// much in every call, or does it where a unit takes long. The time is shared out
// by the fuel that the filters took, and whoever has taken too much of it in the
// last second has failed.
func (w *Worker) overran(ctx context.Context, n *event.Notification, took time.Duration) {
	if w.closed {
		return
	}
	total := int64(0)
	ran := func(do func(i int, in *instance)) {
		for _, i := range w.matcher.match(n.Type) {
			if in := w.instances[i]; in != nil {
				do(i, in)
			}
		}
	}
	ran(func(_ int, in *instance) { total += in.spent })
	ran(func(i int, in *instance) {
		used := in.spent
		in.spent = 0 // said once
		if used < leastSlow {
			return
		}
		share := min(time.Duration(float64(took)*float64(used)/float64(max(total, 1))), time.Duration(used)*slowestUnit)
		if h := in.filter.health; h.overdrawn(share, w.host.now()) {
			w.fault(ctx, i, n, faultf(faultTime, "its slow calls took more than %s in a second; do less, or raise [plugin.%s] slow_per_second", h.slow, in.filter.Name))
		}
	})
}
