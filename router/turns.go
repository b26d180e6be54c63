package router

import "sync"

// queueLength is how many notifications may wait for one worker, and
// projectLength how many of one project, so that others' still come in while a
// flood waits. What waits is unacknowledged, so RabbitMQ's prefetch bounds it as
// well: with the default one a flood never holds up the consumer.
const (
	queueLength   = 1024
	projectLength = 512
)

// turns is what waits for a worker: of each project in order, but the projects
// take turns, one notification each. Any goroutine puts in, the worker takes.
type turns struct {
	mu          sync.Mutex
	ready, room sync.Cond
	lanes       map[uint64]*lane // those with something in them, by project
	first, last *lane            // in the order of their turns
	waiting     int
	stopped     bool
	spare       *lane
}

// lane is what waits of one project.
type lane struct {
	project     uint64
	first, last *job
	waiting     int
	next        *lane
}

func newTurns() *turns {
	t := &turns{lanes: map[uint64]*lane{}}
	t.ready.L, t.room.L = &t.mu, &t.mu
	return t
}

// put blocks while the queue is full, or the project's part of it.
func (t *turns) put(j *job, project uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.full(project) {
		t.room.Wait()
	}
	l := t.lanes[project]
	if l == nil {
		if l = t.spare; l != nil {
			t.spare = l.next
		} else {
			l = new(lane)
		}
		*l = lane{project: project}
		t.lanes[project] = l
		t.append(l)
	}
	if j.next = nil; l.last != nil {
		l.last.next = j
	} else {
		l.first = j
	}
	l.last = j
	l.waiting++
	t.waiting++
	t.ready.Signal()
}

func (t *turns) full(project uint64) bool {
	l := t.lanes[project]
	return t.waiting >= queueLength || l != nil && l.waiting >= projectLength
}

func (t *turns) append(l *lane) {
	if l.next = nil; t.last != nil {
		t.last.next = l
	} else {
		t.first = l
	}
	t.last = l
}

// take gives the next notification. If there is none it gives nil, or waits for
// one if wait is set; then nil is the end: stop was called.
func (t *turns) take(wait bool) *job {
	t.mu.Lock()
	defer t.mu.Unlock()
	for wait && t.waiting == 0 && !t.stopped {
		t.ready.Wait()
	}
	l := t.first
	if l == nil {
		return nil
	}
	if t.first = l.next; t.first == nil {
		t.last = nil
	}
	j := l.first
	l.first = j.next
	l.waiting--
	t.waiting--
	if l.first != nil {
		t.append(l)
	} else {
		delete(t.lanes, l.project)
		*l = lane{next: t.spare}
		t.spare = l
	}
	t.room.Broadcast()
	return j
}

// stop ends the worker once it has taken all that waits. Nothing may be put in
// any more.
func (t *turns) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	t.ready.Broadcast()
}
