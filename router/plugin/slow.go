package plugin

import (
	"context"
	"time"

	"horizon-realtime/router/event"
)

// SlowHandle is how long a Handle may take before it is asked whose doing that
// was.
const SlowHandle = time.Millisecond

// slowestUnit is the longest that a unit of fuel lasts, where every load waits
// for the machine's memory: what took longer is not the filter's doing.
const slowestUnit = 10 * time.Nanosecond

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

// again gives a call that was cut off another chance, with a new instance, unless
// the filter pauses for that: it may have been the machine that was slow.
func (w *Worker) again(ctx context.Context, i int, n *event.Notification, fault *Fault) (*instance, *Fault) {
	f := w.set.filters[i]
	w.fault(ctx, i, n, fault)
	if !f.health.allows(w.host.now) {
		return nil, faultf(faultTime, "%s", fault.text)
	}
	in, err := f.take()
	if err != nil {
		return nil, faultf(faultStart, "%s", err)
	}
	w.instances[i] = in
	w.overtime.add(in, in.limits.fuel)
	w.overtime.begin()
	return in, in.handle(n)
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
	ran(func(_ int, in *instance) { total += in.used() })
	ran(func(i int, in *instance) {
		used := in.used()
		in.budget -= used // said once
		if used < leastSlow {
			return
		}
		share := min(time.Duration(float64(took)*float64(used)/float64(max(total, 1))), time.Duration(used)*slowestUnit)
		if h := in.filter.health; h.overdrawn(share, w.host.now()) {
			w.fault(ctx, i, n, faultf(faultTime, "its slow calls took more than %s in a second; do less, or raise [plugin.%s] slow_per_second", h.slow, in.filter.Name))
		}
	})
}
