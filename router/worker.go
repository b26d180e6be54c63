package router

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/fair"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/plugin"
)

// worker takes its projects' notifications through the plugins into the hub. It
// owns a goroutine, an instance of each plugin, and the memory of which messages
// it has seen.
type worker struct {
	*pipeline
	queue   *fair.Queue[job]
	plugins *plugin.Runner
	judge   auth.Judge
	seen    dedupWindow
	// warned are the plugins whose topics the log has spoken of.
	warned map[string]bool
	// Of the notification under way.
	current           *job
	accepted, refused int
}

func newWorker(p *pipeline, window int) *worker {
	return &worker{
		pipeline: p,
		queue:    newQueue(),
		plugins:  p.host.NewRunner(),
		seen:     newDedupWindow(window),
		warned:   make(map[string]bool),
	}
}

// run works the queue off until it is closed and empty.
func (w *worker) run(ctx context.Context) {
	defer w.plugins.Close()
	w.queue.Work(func(i *fair.Item[job]) {
		w.handle(ctx, &i.Value)
		w.release(i)
	}, w.plugins.Idle)
}

// handle takes one notification to its end and settles its delivery.
func (w *worker) handle(ctx context.Context, j *job) {
	late := false
	if j.Skew != 0 {
		w.clocks.observe(j.Publisher, j.Skew, time.Now())
	}
	if j.MessageID != "" && w.seen.add(maphash.String(w.seed, j.MessageID)+w.project(&j.Notification)) {
		w.outcomes.duplicate.Inc()
	} else {
		w.tap.Offer(&j.Notification)
		w.current, w.accepted, w.refused = j, 0, 0
		outcome := w.plugins.HandleInTime(ctx, &j.Notification, w.timeout-j.spent, w.emit)
		late = outcome.Late
		w.outcomes.count(outcome, w.accepted, w.refused)
		if strings.HasPrefix(j.Type, "identity.") {
			w.revoke(&j.Notification)
		}
	}
	if late {
		reason := fmt.Sprintf("late: it took longer than [router] notification_timeout (%s)", w.timeout)
		w.log.Warn("put a notification aside", "reason", reason, "message_id", j.MessageID, "event_type", j.Type)
		j.delivery.Reject(reason)
		return
	}
	j.delivery.Ack()
}

// emit hands one emission of a plugin to the hub, if it may go there. Its slices
// are the guest's memory: the hub copies them.
func (w *worker) emit(e plugin.Emission) {
	n := &w.current.Notification
	ch, err := w.judge.Verdict(e.Permit, n, e.Channel)
	if err == nil {
		err = w.hub.Publish(hub.Publication{Channel: ch, Project: n.Project, Key: e.Key, Data: e.Payload, Removed: e.Removed, At: n.At})
	}
	if err == nil {
		w.accepted++
		return
	}
	w.refused++
	w.outcomes.emissionRefused.Inc()
	if errors.Is(err, auth.OtherTopic) && !w.warned[e.Plugin] {
		w.warned[e.Plugin] = true
		w.log.Warn("a plugin emits to a topic that is not its own", "plugin", e.Plugin, "channel", string(e.Channel), "error", err)
	}
	w.log.Debug("refused an emission", "plugin", e.Plugin, "channel", string(e.Channel),
		"message_id", w.current.MessageID, "error", err)
}
