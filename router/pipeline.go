package router

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

// job is one notification on its way through a worker.
type job struct {
	event.Notification
	delivery Delivery
	next     *job // of its project, while it waits
}

// pipeline takes messages from the sources, decodes each, and has the worker
// that its project (or resource) belongs to run it through the filters and into
// the hub. One project's notifications keep their order that way.
type pipeline struct {
	log     *slog.Logger
	oslo    *oslo.Decoder
	hub     *hub.Hub
	host    *plugin.Host
	workers []*worker
	seed    maphash.Seed
	jobs    sync.Pool
	ends    endings
	// tap shows operators what the filters get.
	tap *admin.Tap
	// identity is called for every identity.* notification.
	identity func(n *event.Notification)
}

// worker owns a goroutine, an instance of each filter, and the memory of which
// messages it has seen. Nothing of it is shared.
type worker struct {
	*pipeline
	queue    *turns
	plugins  *plugin.Runner
	seen     window
	channels map[string]event.Channel
	// Of the notification under way.
	current  *job
	accepted int
	refused  int
}

// maxChannels bounds the parsed channel names that a worker keeps at hand.
const maxChannels = 16384

func newPipeline(cfg Config, h *hub.Hub, host *plugin.Host, log *slog.Logger, reg prometheus.Registerer) *pipeline {
	p := &pipeline{
		log:  log,
		oslo: oslo.NewDecoder(oslo.Config{MaxBodyBytes: cfg.Router.MaxBodyBytes}),
		hub:  h, host: host,
		seed: maphash.MakeSeed(),
		ends: newEndings(reg),
	}
	p.jobs.New = func() any { return new(job) }
	for range host.Workers() {
		p.workers = append(p.workers, &worker{
			pipeline: p,
			queue:    newTurns(),
			plugins:  host.NewRunner(),
			seen:     newWindow(cfg.Router.DedupWindow),
			channels: make(map[string]event.Channel),
		})
	}
	return p
}

// submit decodes a body and hands it to its worker. It blocks while that worker's
// queue is full, or the project's part of it, and must not be called any more once
// stop was.
func (p *pipeline) submit(body []byte, compression string, d Delivery) {
	j := p.jobs.Get().(*job)
	if err := p.oslo.Decode(&j.Notification, body, compression); err != nil {
		p.jobs.Put(j)
		p.ends.malformed.Inc()
		p.log.Warn("put a malformed message aside", "error", err)
		d.Reject(err.Error())
		return
	}
	j.delivery = d
	project := p.project(&j.Notification)
	p.workers[project%uint64(len(p.workers))].queue.put(j, project)
}

// project is a number for what a notification belongs to.
func (p *pipeline) project(n *event.Notification) uint64 {
	key := n.Project
	if key == "" {
		key = n.Resource
	}
	if key == "" {
		key = n.MessageID
	}
	return maphash.String(p.seed, key)
}

// stop lets the workers finish what was submitted.
func (p *pipeline) stop() {
	for _, w := range p.workers {
		w.queue.stop()
	}
}

// run works the queue off until stop was called and all of it is done.
func (w *worker) run(ctx context.Context) {
	defer w.plugins.Close()
	for {
		j := w.queue.take(false)
		if j == nil {
			w.plugins.Idle()
			if j = w.queue.take(true); j == nil {
				return
			}
		}
		w.handle(ctx, j)
	}
}

// handle takes one notification to its end and settles its delivery.
func (w *worker) handle(ctx context.Context, j *job) {
	if j.MessageID != "" && w.seen.add(maphash.String(w.seed, j.MessageID)) {
		w.ends.duplicate.Inc()
	} else {
		w.tap.Offer(&j.Notification)
		w.current, w.accepted, w.refused = j, 0, 0
		outcome := w.plugins.HandleInTime(ctx, &j.Notification, w.emit)
		w.ends.count(outcome, w.accepted, w.refused)
		if w.identity != nil && isIdentity(j.Type) {
			w.identity(&j.Notification)
		}
	}
	j.delivery.Ack()
	j.delivery = nil
	w.jobs.Put(j)
}

// emit judges one emission of a filter and hands it to the hub. Its slices are
// the guest's memory: the hub copies them.
func (w *worker) emit(e plugin.Emission) {
	ch, ok := w.channels[string(e.Channel)]
	if !ok {
		var err error
		if ch, err = event.ParseChannel(string(e.Channel)); err != nil {
			w.refuse(e, err)
			return
		}
		if len(w.channels) == maxChannels {
			clear(w.channels)
		}
		w.channels[ch.Name] = ch
	}
	n := &w.current.Notification
	if err := auth.MayEmit(e.Grants, n, ch); err != nil {
		w.refuse(e, err)
		return
	}
	if err := w.hub.Publish(hub.Publication{Channel: ch, Key: e.Key, Data: e.Payload, Removed: e.Removed, At: n.At}); err != nil {
		w.refuse(e, err)
		return
	}
	w.accepted++
}

func (w *worker) refuse(e plugin.Emission, err error) {
	w.refused++
	w.ends.emissionRefused.Inc()
	w.log.Debug("refused an emission", "plugin", e.Plugin, "channel", string(e.Channel),
		"message_id", w.current.MessageID, "error", err)
}

func isIdentity(eventType string) bool {
	return len(eventType) > 9 && eventType[:9] == "identity."
}
