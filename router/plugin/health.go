package plugin

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"horizon-realtime/router/plugin/guest"
)

// State says whether a plugin is called, and if not, why.
type State string

// The states of a plugin.
const (
	// Running: it is called for what it asked for.
	Running State = "running"
	// Paused: it is not called for notifications of some projects, for a while.
	Paused State = "paused"
	// Quarantined: it is not called until its file is replaced or an operator
	// releases it.
	Quarantined State = "quarantined"
	// Refused: the file was not loaded.
	Refused State = "refused"
	// Disabled: its table says enabled = false.
	Disabled State = "disabled"
)

const forever = math.MaxInt64

// health decides whether a plugin is called. A fault is first of all its
// project's: the first in a window is forgiven; with the second, pauses begin that
// double, and at the limit the pause lasts a whole window. They are for this
// project only, so that nobody can silence a plugin for others by what he has the
// cloud say. If faults of several projects come together, the plugin is to blame,
// and is quarantined for all.
//
// All runners share it; until the first fault it costs one atomic read.
type health struct {
	limit, projects int
	window          time.Duration
	pause           time.Duration
	// slow is how much time its calls may take in a second.
	slow time.Duration
	// exact says that it has taken half of that, and its calls are to be measured
	// by what their threads have been running.
	exact atomic.Bool

	// blocked is until when some project is paused, in Unix nanoseconds; 0 if none
	// is, forever for a quarantine.
	blocked atomic.Int64

	mu sync.Mutex
	// troubles are the projects with faults within the window: at most limit, or
	// as many as projects if that is more.
	troubles map[string]*trouble
	last     string
	// taken is the time that calls had taken by takenAt, less slow for each second
	// that passed; takenFor is for which projects, since it was last zero.
	taken    time.Duration
	takenAt  time.Time
	takenFor map[string]time.Duration
}

// maxTakenFor bounds the projects whose calls' time is told apart.
const maxTakenFor = 1024

// trouble is one project's with a plugin.
type trouble struct {
	// recent are the times of the faults within the window, oldest first; at
	// most limit.
	recent []time.Time
	// until is the end of the last pause.
	until time.Time
}

// sentence is what a fault leads to.
type sentence struct {
	quarantined bool
	// pause is for how long the plugin is not called for the project.
	pause time.Duration
}

func newHealth(c Config) *health {
	return &health{
		limit: c.FaultLimit, projects: c.FaultProjects, window: c.FaultWindow, pause: c.FaultPause, slow: c.SlowPerSecond,
		troubles: make(map[string]*trouble), takenFor: make(map[string]time.Duration),
	}
}

// allows reports whether the plugin may be called for a project's notification.
func (h *health) allows(project string, now func() time.Time) bool {
	until := h.blocked.Load()
	if until == 0 {
		return true
	}
	if until == forever {
		return false
	}
	t := now()
	if t.UnixNano() >= until {
		h.blocked.CompareAndSwap(until, 0)
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	its := h.troubles[project]
	return its == nil || !t.Before(its.until)
}

// quarantined reports whether the plugin waits for a release.
func (h *health) quarantined() bool { return h.blocked.Load() == forever }

// fault records one of a project, and decides what follows.
func (h *health) fault(f *guest.Fault, project string, at time.Time) sentence {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = f.Text
	if h.quarantined() {
		return sentence{}
	}
	its := h.troubles[project]
	if its == nil {
		its = new(trouble)
		h.troubles[strings.Clone(project)] = its
	}
	its.recent = append(its.recent, at)
	faults := h.forget(at)
	if len(h.troubles) >= h.projects && faults >= h.limit {
		h.blocked.Store(forever)
		return sentence{quarantined: true}
	}
	pause := time.Duration(0)
	switch n := len(its.recent); {
	case n >= h.limit:
		pause = h.window
	case n > 1:
		pause = min(h.pause<<min(n-2, 20), h.window)
	}
	its.until = at.Add(pause)
	if until := its.until.UnixNano(); pause > 0 && until > h.blocked.Load() {
		h.blocked.Store(until)
	}
	return sentence{pause: pause}
}

// forget drops the faults before the window, and counts the others.
func (h *health) forget(now time.Time) (faults int) {
	for project, its := range h.troubles {
		its.recent = slices.DeleteFunc(its.recent, func(t time.Time) bool { return now.Sub(t) >= h.window })
		if len(its.recent) == 0 {
			delete(h.troubles, project)
		}
		faults += len(its.recent)
	}
	return faults
}

// overdrawn records that a call for a project took so long. If calls took more
// within a second than they may, it returns the project that they took most for.
//
// Most of the time, time is what the clock says, which is cheap to know, and
// includes what else the machine had to do. It counts for half of what the plugin
// may take. Beyond that, only time that is exact counts, so that no plugin fails
// because the machine is busy.
func (h *health) overdrawn(took time.Duration, exact bool, project string, at time.Time) (most string, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	forgiven := time.Duration(min(max(at.Sub(h.takenAt).Seconds(), 0), 1) * float64(h.slow))
	h.taken, h.takenAt = max(h.taken-forgiven, 0), at
	if !exact {
		took = min(took, max(h.slow/2-h.taken, 0))
	}
	h.taken += took
	h.exact.Store(h.taken >= h.slow/2)
	if h.taken == took || len(h.takenFor) == maxTakenFor {
		clear(h.takenFor)
	}
	if took > 0 {
		h.takenFor[strings.Clone(project)] += took
	}
	if h.taken <= h.slow {
		return "", false
	}
	h.taken = h.slow
	for its, d := range h.takenFor {
		if d > h.takenFor[most] {
			most = its
		}
	}
	// It has answered for a share of that. If many take much, the next is another's.
	h.takenFor[most] = max(h.takenFor[most]-h.slow/time.Duration(h.limit), 0)
	return most, true
}

// release forgets all faults.
func (h *health) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.troubles)
	clear(h.takenFor)
	h.last, h.taken = "", 0
	h.exact.Store(false)
	h.blocked.Store(0)
}

// paused are the projects that the plugin is not called for, in order.
func (h *health) paused(now time.Time) (projects []string) {
	for project, its := range h.troubles {
		if now.Before(its.until) {
			projects = append(projects, project)
		}
	}
	slices.Sort(projects)
	return projects
}

// state returns the plugin's state and the reason for it.
func (h *health) state(now time.Time) (State, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.quarantined() {
		faults := 0
		for _, its := range h.troubles {
			faults += len(its.recent)
		}
		return Quarantined, fmt.Sprintf("%s of %s within %s; the last: %s; replace the file or release it",
			count(faults, "fault"), count(len(h.troubles), "project"), h.window, h.last)
	}
	if projects := h.paused(now); len(projects) > 0 {
		more := ""
		if n := len(projects) - 1; n > 0 {
			more = " and " + count(n, "more project")
		}
		return Paused, fmt.Sprintf("%s; paused for project %q%s until %s", h.last, projects[0], more,
			h.troubles[projects[0]].until.UTC().Format(time.RFC3339Nano))
	}
	return Running, h.last
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
