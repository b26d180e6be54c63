package router

import (
	"hash/maphash"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/event"
	"horizon-realtime/router/fair"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

// job is one notification on its way through a worker.
type job struct {
	event.Notification
	delivery Delivery
}

// queueLength is how many notifications may wait for one worker. One project
// may fill half of it, so that others' still come in while a flood waits. What
// waits is unacknowledged, so RabbitMQ's prefetch bounds it as well: with the
// default one a flood never holds up the consumer.
const queueLength = 1024

// pipeline decodes what the sources hand over, and gives each notification to
// the worker that its project (or resource) belongs to, so that one project's
// keep their order.
type pipeline struct {
	stages
	log      *slog.Logger
	oslo     *oslo.Decoder
	workers  []*worker
	seed     maphash.Seed
	jobs     sync.Pool
	outcomes outcomes
}

// stages are what a notification passes, beside the decoder.
type stages struct {
	host *plugin.Host
	hub  *hub.Hub
	// tap shows operators what the plugins receive.
	tap *admin.Tap
	// revoke is called with every identity.* notification.
	revoke func(*event.Notification)
}

func newPipeline(cfg Config, s stages, log *slog.Logger, reg prometheus.Registerer) *pipeline {
	p := &pipeline{
		stages:   s,
		log:      log,
		oslo:     oslo.NewDecoder(oslo.Config{MaxBodyBytes: cfg.Router.MaxBodyBytes, Live: true}),
		seed:     maphash.MakeSeed(),
		outcomes: newOutcomes(reg),
	}
	p.jobs.New = func() any { return new(fair.Item[job]) }
	for range s.host.Workers() {
		p.workers = append(p.workers, newWorker(p, cfg.Router.DedupWindow))
	}
	return p
}

// submit decodes a body and hands it to its worker. It blocks while that worker's
// queue is full, or the project's part of it, and must not be called after stop.
func (p *pipeline) submit(body []byte, compression string, d Delivery) {
	j := p.jobs.Get().(*fair.Item[job])
	n := &j.Value.Notification
	if err := p.oslo.Decode(n, body, compression); err != nil {
		p.jobs.Put(j)
		p.outcomes.malformed.Inc()
		p.log.Warn("put a malformed message aside", "error", err)
		d.Reject(err.Error())
		return
	}
	j.Value.delivery = d
	project := p.project(n)
	p.workers[project%uint64(len(p.workers))].queue.Put(project, j)
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
		w.queue.Close()
	}
}
