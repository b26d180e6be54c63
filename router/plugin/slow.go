package plugin

import (
	"context"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
)

// HandleInTime is Handle for a router under load: a call that takes too long is
// cut off, a plugin whose calls are slow all the time fails, and none is called
// after the deadline.
func (r *Runner) HandleInTime(ctx context.Context, n *event.Notification, deadline time.Time, emit func(Emission)) Outcome {
	began := time.Now()
	o := r.handle(ctx, n, deadline, emit)
	took := time.Since(began)
	if took > guest.SlowCall {
		r.bill(ctx, n, took)
	}
	return o
}

// bill divides the time that the last Handle, of n, took among the plugins, by
// the fuel that each used. Fuel bounds one call; bill catches a plugin that does
// nearly as much in every call, or whose instructions take unusually long. One that
// has taken too much time within the last second has failed.
//
// A unit counts for guest.SlowestUnit at most, since no plugin may fail because
// the machine had something else to run. That still catches one that waits for
// memory all the time, though only a fifth of its time counts.
func (r *Runner) bill(ctx context.Context, n *event.Notification, took time.Duration) {
	total := int64(0)
	for _, i := range r.ran {
		total += r.instances[i].Spent()
	}
	for _, i := range r.ran {
		used := r.instances[i].Spent()
		if used < guest.SlowFuel {
			continue
		}
		share := min(time.Duration(float64(took)*float64(used)/float64(total)), time.Duration(used)*guest.SlowestUnit)
		v := r.set.versions[i]
		if project, over := v.health.overdrawn(share, n.Project, r.host.now()); over {
			r.fault(ctx, i, n, project, guest.Faultf(guest.Time, "its slow calls took more than %s in a second; do less, or raise [plugin.%s] slow_per_second", v.health.slow, v.Name))
		}
	}
}
