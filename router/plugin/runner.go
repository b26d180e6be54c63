package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
)

// Runner runs notifications through the plugins, one at a time, on instances of
// its own. One goroutine at a time may use it.
type Runner struct {
	host    *Host
	id      int
	set     *set
	matcher matcher
	// instances are by position in the set; nil until one is needed.
	instances []*guest.Instance
	closed    bool
}

// Emission is what a plugin wants published. Its slices are the guest's own
// memory: they are valid until the callback that gets it returns.
type Emission struct {
	// Plugin is the plugin's name, and Permit what its operator allows it.
	Plugin string
	Permit *event.Permit
	guest.Emission
}

// Outcome counts what became of one notification.
type Outcome struct {
	// Called plugins ran to an end, Faults did not. Skipped ones asked for the
	// notification, but are paused or quarantined.
	Called, Faults, Skipped int
	// Emitted is how many emissions were handed on, Dropped how many were too long
	// or too many.
	Emitted, Dropped int
	// Stopped says that a plugin kept the notification from those after it.
	Stopped bool
	// Late says that plugins were not called because the deadline had passed.
	Late bool
}

// NewRunner makes a runner. Its instances are made when the first notification
// matches.
func (h *Host) NewRunner() *Runner {
	r := &Runner{host: h, id: int(h.runners.Add(1)-1) % h.cfg.Workers}
	r.adopt()
	return r
}

// Handle calls every plugin that asked for the notification's type, in
// file-name order, and passes what each emits to emit before it calls the next
// one. A plugin that fails harms only itself: all emissions of the failed call are
// dropped, and the others run as if nothing had happened.
func (r *Runner) Handle(ctx context.Context, n *event.Notification, emit func(Emission)) Outcome {
	return r.handle(ctx, n, nil, emit)
}

func (r *Runner) handle(ctx context.Context, n *event.Notification, watch *stopwatch, emit func(Emission)) Outcome {
	if r.set != r.host.current.load() {
		r.adopt()
	}
	var o Outcome
	if r.closed {
		return o
	}
	for _, i := range r.matcher.match(n.Type) {
		if watch.late() {
			o.Late = true
			break
		}
		v := r.set.versions[i]
		counters := v.record.counters(r.id)
		if !v.health.allows(n.Project, r.host.now) {
			o.Skipped++
			counters.skipped.Add(1)
			continue
		}
		watch.start(v.health)
		in := r.call(ctx, i, n)
		took, exact := watch.stop()
		stopped := false
		if in == nil {
			o.Faults++
		} else {
			o.Called++
			counters.calls.Add(1)
			counters.fuel.Add(uint64(in.Spent()))
			stopped = r.emit(v, n, in.Result(), counters, &o, emit)
			if watch != nil {
				watch.paused = len(in.Result().Emissions) > 0
			}
		}
		if took > 0 || exact {
			r.bill(ctx, i, n, took, exact, in == nil)
		}
		if stopped {
			break
		}
	}
	return o
}

// emit hands the emissions of a call on, except for those beyond the plugin's
// budget. It reports whether the plugin keeps the notification from those after it.
func (r *Runner) emit(v *version, n *event.Notification, result *guest.Result, counters *counters, o *Outcome, emit func(Emission)) (stopped bool) {
	permit := v.permit.Load()
	dropped := result.Dropped
	if len(result.Emissions) > 0 {
		e := Emission{Plugin: v.Name, Permit: permit}
		free := freeUnits
		for i := range result.Emissions {
			e.Emission = result.Emissions[i]
			cost := units(e.Payload)
			if free -= cost; free < 0 && !v.record.budget.take(min(cost, -free), n.Project, r.host.now()) {
				dropped++
				continue
			}
			emit(e)
		}
		emitted := len(result.Emissions) + result.Dropped - dropped
		counters.emissions.Add(uint64(emitted))
		o.Emitted += emitted
	}
	if dropped > 0 {
		counters.dropped.Add(uint64(dropped))
		o.Dropped += dropped
	}
	if result.Stop && r.mayStop(v, permit) {
		counters.stopped.Add(1)
		o.Stopped = true
	}
	return o.Stopped
}

// mayStop reports whether the plugin may keep a notification from those after it.
func (r *Runner) mayStop(v *version, permit *event.Permit) bool {
	if permit.Grants&event.GrantStop != 0 {
		return true
	}
	if !v.stopRefused.Swap(true) {
		r.host.log.Warn("a plugin may not stop notifications; they go on to the other plugins", "plugin", v.Name,
			"error", fmt.Sprintf(`%s: it stops notifications; if it is meant to, add "stop" to [plugin.%s] grants`, v.title, v.Name))
	}
	return false
}

// call runs the i-th plugin and returns its instance if that went well; a fault
// is recorded. A call that was cut off is tried again on a new instance, since the
// machine may have been slow; but not if it has written to its store, as it would
// find that done already.
func (r *Runner) call(ctx context.Context, i int, n *event.Notification) *guest.Instance {
	v := r.set.versions[i]
	for again := false; ; again = true {
		in, err := r.instance(i, n)
		if err != nil {
			r.fault(ctx, i, n, n.Project, err)
			return nil
		}
		fault := in.Handle(n)
		if fault == nil {
			return in
		}
		wrote := in.Wrote()
		r.fault(ctx, i, n, n.Project, fault)
		if again || wrote || fault.Kind != guest.Time || !v.health.allows(n.Project, r.host.now) {
			return nil
		}
	}
}

// instance returns the instance of the i-th plugin for a notification, and makes
// it if there is none. Unless the plugin has the grant shared, the instance knows
// nothing of other projects.
func (r *Runner) instance(i int, n *event.Notification) (*guest.Instance, error) {
	shared := r.set.versions[i].permit.Load().Grants&event.GrantShared != 0
	if in := r.instances[i]; in != nil {
		if shared {
			in.Mix()
			return in, nil
		}
		if in.Separate(n.Project) {
			return in, nil
		}
		r.end(i)
	}
	in, err := r.set.versions[i].take()
	if err != nil {
		return nil, err
	}
	r.instances[i] = in
	if shared {
		in.Mix()
	} else {
		in.Separate(n.Project) // which it knows nothing of yet
	}
	return in, nil
}

// fault closes the i-th instance, and counts and logs what happened, which is the
// doing of a project's notifications, of which n is the last.
func (r *Runner) fault(ctx context.Context, i int, n *event.Notification, project string, err error) {
	v := r.set.versions[i]
	r.end(i)
	var fault *guest.Fault
	if !errors.As(err, &fault) {
		fault = guest.Faultf(guest.Trap, "%s", err)
	}
	v.record.faults[fault.Kind].Add(1)
	log := r.host.log.With("plugin", v.Name, "message_id", n.MessageID, "event_type", n.Type, "project", project)
	follows := v.health.fault(fault, project, r.host.now())
	if follows.quarantined {
		_, reason := v.health.state(r.host.now())
		log.ErrorContext(ctx, "quarantined a plugin", "error", v.title+": "+reason)
		return
	}
	log.WarnContext(ctx, "a plugin failed", "error", v.title+": "+fault.Text, "pause", follows.pause)
}

// end closes the i-th instance, if there is one.
func (r *Runner) end(i int) {
	if in := r.instances[i]; in != nil {
		r.set.versions[i].end(in)
		r.instances[i] = nil
	}
}

// adopt changes to the current set, and keeps the instances of versions that are
// in both.
func (r *Runner) adopt() {
	if r.closed {
		return
	}
	next := r.host.current.hold()
	instances := make([]*guest.Instance, len(next.versions))
	for i, in := range r.instances {
		if at := slices.Index(next.versions, r.set.versions[i]); at >= 0 {
			instances[at], r.instances[i] = in, nil
		}
	}
	r.drop()
	r.set, r.instances, r.matcher = next, instances, newMatcher(next.versions)
}

// drop closes all instances and lets go of the set.
func (r *Runner) drop() {
	for i := range r.instances {
		r.end(i)
	}
	if r.set != nil {
		r.set.release()
	}
	r.set, r.instances = nil, nil
}

// Idle is called when nothing waits. It changes to a new set, so that the old one
// can be closed, and closes instances that have grown far and those of plugins in
// quarantine; new ones are made when they are needed.
func (r *Runner) Idle() {
	if r.set != r.host.current.load() {
		r.adopt()
	}
	for i, in := range r.instances {
		if in == nil {
			continue
		}
		v := r.set.versions[i]
		if v.health.quarantined() || in.Grown() && v.record.renew(r.host.now()) {
			r.end(i)
		}
	}
}

// Close closes the runner's instances. It may be called again; the runner is
// of no use afterwards.
func (r *Runner) Close() {
	if !r.closed {
		r.closed = true
		r.drop()
	}
}
