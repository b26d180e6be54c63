package plugin

import (
	"context"
	"runtime"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
)

// freeTime is how much of each call takes nothing of slow_per_second. So little
// holds nobody up, and when the router works off what has piled up, honest plugins
// do nothing else: a stock plugin's call takes 100 µs.
const freeTime = 250 * time.Microsecond

// epoch is what time is measured from, as that is cheaper than to tell it.
var epoch = time.Now()

// HandleInTime is Handle for a router under load: a plugin whose calls take too
// much time fails, and none is called once limit has passed. The time that emit
// takes does not count: it waits if those who are to hear cannot keep up.
func (r *Runner) HandleInTime(ctx context.Context, n *event.Notification, limit time.Duration, emit func(Emission)) Outcome {
	now := time.Since(epoch)
	return r.handle(ctx, n, &stopwatch{now: now, deadline: now + limit}, emit)
}

// stopwatch measures what each plugin takes of a notification's time, in which one
// call begins as the one before ends: the clock is read once for each. It is nil
// if nobody wants to know.
type stopwatch struct {
	now, deadline time.Duration
	// paused says that the time since now does not count.
	paused bool
	// exact says that the call under way is measured by what its thread has been
	// running, since began.
	exact bool
	began guest.ThreadTime
}

// late reports whether no more plugins are to be called.
func (w *stopwatch) late() bool {
	if w == nil {
		return false
	}
	if w.paused {
		before := w.now
		w.now, w.paused = time.Since(epoch), false
		w.deadline += w.now - before
	}
	return w.now > w.deadline
}

// start begins the call of a plugin.
func (w *stopwatch) start(h *health) {
	if w == nil || !h.exact.Load() {
		return
	}
	runtime.LockOSThread()
	w.exact, w.began = true, guest.ThreadNow()
}

// stop ends the call. It returns how long that took, with the start of an instance
// or the change of project before it, and whether that is exact.
func (w *stopwatch) stop() (took time.Duration, exact bool) {
	if w == nil {
		return 0, false
	}
	before := w.now
	w.now = time.Since(epoch)
	took, exact = w.now-before, w.exact
	if exact {
		w.exact = false
		if ran, ok := guest.ThreadNow().Since(w.began); ok {
			took = ran
		}
		runtime.UnlockOSThread()
	}
	return max(took-freeTime, 0), exact
}

// bill charges the i-th plugin for the time of its call for n. Fuel bounds one
// call; bill catches a plugin that does much in every call, or whose instructions
// take long. One that has taken too much time within the last second has failed,
// unless the call has failed anyway.
func (r *Runner) bill(ctx context.Context, i int, n *event.Notification, took time.Duration, exact, failed bool) {
	v := r.set.versions[i]
	project, over := v.health.overdrawn(took, exact, n.Project, r.host.now())
	if over && !failed {
		r.fault(ctx, i, n, project, guest.Faultf(guest.Time, "its calls took more than %s in a second; do less, or raise [plugin.%s] slow_per_second", v.health.slow, v.Name))
	}
}
