package router

import (
	"sync"
	"time"

	"horizon-realtime/router/fair"
)

// large is the way of notifications that nobody else should wait for: those with a
// large body, which is still to be decoded, and those that come behind one of the
// same project, which must not overtake it. Projects take turns.
type large struct {
	queue *fair.Queue[job]

	mu       sync.Mutex
	projects map[uint64]int // how many of each are not with their worker yet
}

func newLarge() *large {
	return &large{queue: newQueue(), projects: map[uint64]int{}}
}

// put takes a job that has to go this way, and reports false for any other. It
// blocks while the queue is full, or the project's part of it.
func (l *large) put(project uint64, i *fair.Item[job]) bool {
	l.mu.Lock()
	must := i.Value.body != nil || l.projects[project] > 0
	if must {
		l.projects[project]++
	}
	l.mu.Unlock()
	if must {
		i.Value.project = project
		l.queue.Put(project, i)
	}
	return must
}

// passed notes that one of a project's jobs is with its worker.
func (l *large) passed(project uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.projects[project]--; l.projects[project] == 0 {
		delete(l.projects, project)
	}
}

// decodeLarge takes what is in large to the workers, until stop.
func (p *pipeline) decodeLarge() {
	p.large.queue.Work(func(i *fair.Item[job]) {
		project := i.Value.project
		p.decode(i)
		p.large.passed(project)
	}, nil)
}

// decode gives a job to its worker, decoded.
func (p *pipeline) decode(i *fair.Item[job]) {
	j := &i.Value
	if j.body != nil {
		began := time.Now()
		err := p.oslo.Decode(&j.Notification, j.body, j.compression)
		j.body, j.compression, j.spent = nil, "", time.Since(began)
		if err != nil {
			p.reject(i, err)
			return
		}
		j.project = p.project(&j.Notification) // Begin may not have seen it
		if p.split(i, p.queue) {
			return
		}
	}
	p.queue(j.project, i)
}
