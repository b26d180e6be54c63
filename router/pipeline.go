package router

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/event"
	"horizon-realtime/router/fair"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

// job is one notification on its way to and through a worker.
type job struct {
	event.Notification
	delivery Delivery
	// body and compression are nil once it is decoded.
	body        []byte
	compression string
	// project is what it queues with in large.
	project uint64
	// spent is how long decoding has taken.
	spent time.Duration
}

// queueLength is how many notifications may wait for a worker. One project
// may fill half of it, so that others' still come in while a flood waits. What
// waits is unacknowledged, so RabbitMQ's prefetch bounds it as well: with the
// default one a flood never holds up the consumer.
const queueLength = 1024

func newQueue() *fair.Queue[job] {
	return fair.New[job](fair.Limits{Items: queueLength, Share: 2, TurnItems: 1})
}

// pipeline decodes what the sources hand over, and gives each notification to
// the worker that its project (or resource) belongs to, so that one project's
// keep their order. A large body does not hold up what comes behind it, unless that
// is of the same project.
type pipeline struct {
	stages
	log      *slog.Logger
	oslo     *oslo.Decoder
	large    *large
	workers  []*worker
	seed     maphash.Seed
	timeout  time.Duration // [router] notification_timeout
	jobs     sync.Pool
	outcomes outcomes
	clocks   *clocks
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
		large:    newLarge(),
		seed:     maphash.MakeSeed(),
		timeout:  cfg.Router.NotificationTimeout,
		outcomes: newOutcomes(reg),
		clocks:   newClocks(log, reg),
	}
	p.jobs.New = func() any { return new(fair.Item[job]) }
	for range s.host.Workers() {
		p.workers = append(p.workers, newWorker(p, cfg.Router.DedupWindow))
	}
	return p
}

// run works until everything that was submitted before stop is done.
func (p *pipeline) run(ctx context.Context) {
	var workers sync.WaitGroup
	for _, w := range p.workers {
		workers.Go(func() { w.run(ctx) })
	}
	p.decodeLarge()
	for _, w := range p.workers {
		w.queue.Close()
	}
	workers.Wait()
}

// stop lets run return. Nothing may be submitted any more.
func (p *pipeline) stop() { p.large.queue.Close() }

// submit decodes a body, or as much as says whose it is, and queues the
// notification. It blocks while the queue is full, or the project's part of it.
func (p *pipeline) submit(body []byte, compression string, d Delivery) {
	i := p.jobs.Get().(*fair.Item[job])
	j := &i.Value
	j.delivery = d
	whole, err := p.oslo.Begin(&j.Notification, body, compression)
	if err != nil {
		p.reject(i, err)
		return
	}
	if !whole {
		j.body, j.compression = body, compression
	}
	if !whole || !p.split(i, p.enqueue) {
		p.enqueue(p.project(&j.Notification), i)
	}
}

// enqueue gives a job to its worker, or the way that large takes.
func (p *pipeline) enqueue(project uint64, i *fair.Item[job]) {
	if !p.large.put(project, i) {
		p.queue(project, i)
	}
}

func (p *pipeline) queue(project uint64, i *fair.Item[job]) {
	p.workers[project%uint64(len(p.workers))].queue.Put(project, i)
}

// reject puts aside what cannot be decoded.
func (p *pipeline) reject(i *fair.Item[job], err error) {
	p.outcomes.malformed.Inc()
	p.log.Warn("put a malformed message aside", "error", err)
	i.Value.delivery.Reject(err.Error())
	p.release(i)
}

// release keeps a job that is done with, to be used again.
func (p *pipeline) release(i *fair.Item[job]) {
	i.Value.delivery, i.Value.spent = nil, 0
	p.jobs.Put(i)
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
