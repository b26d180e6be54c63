package demo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that actions answer with.
var (
	// ErrNotFound: there is no such project or server; another project's server
	// is not there either.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the server's state does not allow the action.
	ErrConflict = errors.New("conflict")
	// ErrQuota: the project has as many servers as the simulation allows.
	ErrQuota = errors.New("quota exceeded")
	// ErrStopped: the cloud's Run has returned, or has not been called in time.
	ErrStopped = errors.New("the simulated cloud has stopped")
)

// Options say how the simulated cloud behaves; the zero value of each field
// stands for its default.
type Options struct {
	// Format is nova's notification_format; Versioned by default, which
	// carries every column of the instances table but the image's name.
	Format Format
	// MaxServers bounds the servers of one project, 12 by default.
	MaxServers int
	// Life is the average time between two events of the background life, 6 s
	// by default; negative for a cloud in which only visitors act.
	Life time.Duration
	// Log takes what cannot be published; slog.Default() by default.
	Log *slog.Logger
}

// Cloud is the simulated cloud. All of its methods but Run may be called
// concurrently; everything happens in Run's goroutine, so that notifications
// are published in the order in which the states changed.
type Cloud struct {
	opts    Options
	publish Publish
	tap     *tap
	calls   chan func()
	stopped chan struct{}
	alive   atomic.Bool // the background life is on

	mu      sync.RWMutex // held to write by Run alone
	servers map[string]*server
	serial  int // of the last server
	clock   time.Time

	// Of Run's goroutine only.
	due    schedule
	turn   uint64
	plan   map[string]uint64 // server id → the turn its script began
	outbox []message
}

// NewCloud makes a cloud with a few servers in each project, made before
// anybody listened. publish is called from Run, one notification at a time.
func NewCloud(publish Publish, opts Options) *Cloud {
	if opts.Format == "" {
		opts.Format = Versioned
	}
	if opts.MaxServers == 0 {
		opts.MaxServers = 12
	}
	if opts.Life == 0 {
		opts.Life = 6 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	c := &Cloud{
		opts: opts, publish: publish, tap: newTap(),
		calls: make(chan func()), stopped: make(chan struct{}),
		servers: map[string]*server{}, plan: map[string]uint64{},
	}
	c.SetLife(true)
	c.populate()
	return c
}

// Run lets the cloud live until ctx ends. It may be called once.
//
// # Errors
//
// Run returns nil when ctx ends: what cannot be published is logged and lost,
// as a service would.
func (c *Cloud) Run(ctx context.Context) error {
	defer close(c.stopped)
	if c.opts.Life > 0 {
		c.scheduleLife()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case call := <-c.calls:
			c.locked(call)
		case <-timer.C:
			c.locked(c.runDue)
		}
		c.flush(ctx)
		timer.Reset(c.untilDue())
	}
}

func (c *Cloud) locked(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// flush publishes the last step's notifications, outside of the lock.
func (c *Cloud) flush(ctx context.Context) {
	for _, m := range c.outbox {
		c.tap.put(m)
		if err := c.publish(m.exchange, m.routingKey, m.body); err != nil && ctx.Err() == nil {
			c.opts.Log.Warn("publish a simulated notification", "exchange", m.exchange, "error", err)
		}
	}
	c.outbox = c.outbox[:0]
}

// call runs do in Run's goroutine and waits for it.
func (c *Cloud) call(ctx context.Context, do func() error) error {
	result := make(chan error, 1)
	select {
	case c.calls <- func() { result <- do() }:
		return <-result
	case <-c.stopped:
		return ErrStopped
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrStopped, ctx.Err())
	}
}

// tell makes n into a message, to be published when the step is over.
func (c *Cloud) tell(exchange, key string, owner *Project, at time.Time, n *notification) {
	body, err := seal(n, at)
	if err != nil {
		c.opts.Log.Error("make a simulated notification", "error", err)
		return
	}
	c.outbox = append(c.outbox, message{exchange, key, owner.Name, body})
}

// now is the time, in whole microseconds; it never stands still, so that each
// notification has a time of its own as it would on a real bus.
func (c *Cloud) now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	if !now.After(c.clock) {
		now = c.clock.Add(time.Microsecond)
	}
	c.clock = now
	return now
}

// tick is now, remembered as the time of the server's last notification.
func (c *Cloud) tick(s *server) time.Time {
	s.told = c.now()
	return s.told
}

// script is a sequence of steps of one server.
type script struct {
	cloud *Cloud
	id    string
	turn  uint64
	at    time.Time
}

// script begins a new sequence of steps; what is left of an older one of the
// same server is dropped.
func (c *Cloud) script(s *server) *script {
	c.turn++
	c.plan[s.id] = c.turn
	return &script{c, s.id, c.turn, time.Now()}
}

// then adds a step, after the given time has passed since the one before.
func (s *script) then(after time.Duration, do func()) {
	s.at = s.at.Add(after)
	s.cloud.schedule(s.at, func() {
		if s.cloud.plan[s.id] == s.turn {
			do()
		}
	})
}

func (c *Cloud) schedule(at time.Time, do func()) {
	c.turn++
	heap.Push(&c.due, step{at, c.turn, do})
}

func (c *Cloud) runDue() {
	now := time.Now()
	for len(c.due) > 0 && !c.due[0].at.After(now) {
		heap.Pop(&c.due).(step).do()
	}
}

func (c *Cloud) untilDue() time.Duration {
	if len(c.due) == 0 {
		return time.Hour
	}
	return time.Until(c.due[0].at)
}

// step is something to be done at a time; turn keeps the order of equal times.
type step struct {
	at   time.Time
	turn uint64
	do   func()
}

// schedule is a heap of steps, the next one first.
type schedule []step

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at.Before(s[j].at) || s[i].at.Equal(s[j].at) && s[i].turn < s[j].turn
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(step)) }
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
