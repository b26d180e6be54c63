package plugin

import (
	"context"
	"errors"

	"horizon-realtime/router/event"
)

// Worker runs notifications through the filters, one at a time, on instances
// that are its own. One goroutine at a time may use it.
type Worker struct {
	host    *Host
	id      int
	set     *set
	matcher matcher
	// instances are by position in the set; nil where none was needed yet.
	instances []*instance
	overtime  *overtime
	closed    bool
}

// Emission is what a filter wants published. Its slices are the filter's own
// memory: they are valid until the callback they are handed to returns.
type Emission struct {
	// Plugin is the filter's name, and Grants what its operator permits it.
	Plugin string
	Grants event.Grants
	// Channel is valid UTF-8 of 1 to 160 bytes, not yet parsed; Key of at most
	// 128 bytes, or empty. Payload is one JSON value without line breaks.
	Channel, Key, Payload []byte
	// Removed says that the resource named by the key is gone.
	Removed bool
}

// Outcome counts what became of one notification.
type Outcome struct {
	// Called filters ran to an end, Faults did not. Skipped ones asked for the
	// notification, but are paused or quarantined.
	Called, Faults, Skipped int
	// Emitted is how many emissions were handed on.
	Emitted int
	// Stopped says that a filter kept the notification from those after it.
	Stopped bool
}

// NewWorker makes a worker. Its instances are made when the first notification
// matches.
func (h *Host) NewWorker() *Worker {
	w := &Worker{host: h, id: int(h.workers.Add(1)-1) % h.cfg.Workers, overtime: newOvertime(h.cfg.CallTimeout)}
	w.adopt()
	return w
}

// Handle calls every filter that asked for the notification's type, in
// file-name order, and hands what each emits to emit before the next one is
// called. What goes wrong in a filter is the filter's: its emissions of this
// call are dropped, all of them, and the others run as if nothing had been.
func (w *Worker) Handle(ctx context.Context, n *event.Notification, emit func(Emission)) Outcome {
	if w.set != w.host.current.Load() {
		w.adopt()
	}
	var o Outcome
	if w.closed {
		return o
	}
	for _, i := range w.matcher.match(n.Type) {
		f := w.set.filters[i]
		counters := f.record.counters(w.id)
		if !f.health.allows(w.host.now) {
			o.Skipped++
			counters.skipped.Add(1)
			continue
		}
		in := w.instances[i]
		if in == nil {
			var err error
			if in, err = f.take(); err != nil {
				w.fault(ctx, i, n, err)
				o.Faults++
				continue
			}
			w.instances[i] = in
			w.overtime.add(in, in.limits.fuel)
		}
		if in = w.call(ctx, i, n); in == nil {
			o.Faults++
			continue
		}
		o.Called++
		counters.calls.Add(1)
		counters.fuel.Add(uint64(in.spent))
		if len(in.result.emissions) > 0 {
			counters.emissions.Add(uint64(len(in.result.emissions)))
			o.Emitted += len(in.result.emissions)
			in.emit(emit)
		}
		if in.result.stop {
			o.Stopped = true
			break
		}
	}
	return o
}

// call runs the filter, and gives the instance that has ended well: nil where
// none has, which is noted. A call that was cut off gets another chance with a
// new instance, since it may have been the machine that was slow; but not one
// that has written to its store, which would find that done already.
func (w *Worker) call(ctx context.Context, i int, n *event.Notification) *instance {
	for again := false; ; again = true {
		in := w.instances[i]
		w.overtime.next()
		fault := in.handle(n)
		if fault == nil {
			return in
		}
		wrote := in.wrote
		w.fault(ctx, i, n, fault)
		f := w.set.filters[i]
		if again || wrote || fault.kind != faultTime || !f.health.allows(w.host.now) {
			return nil
		}
		next, err := f.take()
		if err != nil {
			w.fault(ctx, i, n, err)
			return nil
		}
		w.instances[i] = next
		w.overtime.add(next, next.limits.fuel)
	}
}

func (in *instance) emit(emit func(Emission)) {
	e := Emission{Plugin: in.filter.Name, Grants: event.Grants(in.filter.grants.Load())}
	for i := range in.result.emissions {
		from := &in.result.emissions[i]
		e.Channel, e.Key, e.Payload, e.Removed = from.channel, from.key, from.payload, from.removed
		emit(e)
	}
}

// fault throws the instance away and notes what happened.
func (w *Worker) fault(ctx context.Context, i int, n *event.Notification, err error) {
	f := w.set.filters[i]
	if in := w.instances[i]; in != nil {
		in.close()
		w.instances[i] = nil
	}
	var fault *Fault
	if !errors.As(err, &fault) {
		fault = faultf(faultTrap, "%s", err)
	}
	f.record.faults[fault.kind].Add(1)
	log := w.host.log.With("plugin", f.Name, "message_id", n.MessageID, "event_type", n.Type)
	quarantined, pause := f.health.fault(fault, w.host.now())
	if quarantined {
		_, reason := f.health.state(w.host.now())
		log.ErrorContext(ctx, "quarantined a plugin", "error", "plugin "+f.File+": "+reason)
		return
	}
	log.WarnContext(ctx, "a plugin failed", "error", "plugin "+f.File+": "+fault.text, "pause", pause)
}

// adopt takes up the current set, with the instances of filters that are in
// both.
func (w *Worker) adopt() {
	if w.closed {
		return
	}
	next := w.host.hold()
	instances := make([]*instance, len(next.filters))
	for i, f := range next.filters {
		for j, in := range w.instances {
			if in != nil && in.filter == f {
				instances[i], w.instances[j] = in, nil
			}
		}
	}
	w.drop()
	w.set, w.instances, w.matcher = next, instances, newMatcher(next.filters)
}

// drop closes all instances and lets go of the set.
func (w *Worker) drop() {
	for _, in := range w.instances {
		if in != nil {
			in.close()
		}
	}
	if w.set != nil {
		w.set.release()
	}
	w.set, w.instances = nil, nil
}

// Idle is for moments in which nothing waits: it takes up a new set, so that
// the old one can go, and drops instances whose memory has grown far, for new
// ones to take their place, and those of filters in quarantine.
func (w *Worker) Idle() {
	if w.set != w.host.current.Load() {
		w.adopt()
	}
	for i, in := range w.instances {
		if in == nil {
			continue
		}
		if in.grown() && in.filter.record.renew(w.host.now()) || in.filter.health.quarantined() {
			in.close()
			w.instances[i] = nil
		}
	}
}

// Close gives the worker's instances back. It may be called again; the worker
// is of no use afterwards.
func (w *Worker) Close() {
	if !w.closed {
		w.closed = true
		w.drop()
	}
}
