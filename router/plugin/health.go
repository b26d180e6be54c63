package plugin

import (
	"fmt"
	"math"
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
	// Paused: it is not called for a moment, after a fault.
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

// health decides whether a plugin is called. The first fault in a window is
// forgiven; with the second, pauses begin that double, and at the limit the plugin
// is quarantined. All runners share it; until the first fault it costs one atomic
// read.
type health struct {
	limit  int
	window time.Duration
	pause  time.Duration
	// slow is how much time its slow calls may take in a second.
	slow time.Duration

	// blocked is until when the plugin is not called, in Unix nanoseconds; 0 if it
	// is.
	blocked atomic.Int64

	mu sync.Mutex
	// recent are the times of the faults within the window, oldest first; at
	// most limit.
	recent []time.Time
	last   string
	// taken is the time that slow calls had taken by takenAt, less slow for each
	// second that passed.
	taken   time.Duration
	takenAt time.Time
}

func newHealth(c Config) *health {
	return &health{limit: c.FaultLimit, window: c.FaultWindow, pause: c.FaultPause, slow: c.SlowPerSecond}
}

// allows reports whether the plugin may be called.
func (h *health) allows(now func() time.Time) bool {
	until := h.blocked.Load()
	if until == 0 {
		return true
	}
	if until == forever || now().UnixNano() < until {
		return false
	}
	h.blocked.CompareAndSwap(until, 0)
	return true
}

// quarantined reports whether the plugin waits for a release.
func (h *health) quarantined() bool { return h.blocked.Load() == forever }

// fault records one. It reports whether that quarantined the plugin, and for how
// long it pauses if not.
func (h *health) fault(f *guest.Fault, at time.Time) (quarantined bool, pause time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = f.Text
	if h.blocked.Load() == forever {
		return false, 0
	}
	kept := h.recent[:0]
	for _, t := range h.recent {
		if at.Sub(t) < h.window {
			kept = append(kept, t)
		}
	}
	h.recent = append(kept, at)
	switch n := len(h.recent); {
	case n >= h.limit:
		h.blocked.Store(forever)
		return true, 0
	case n > 1:
		pause = min(h.pause<<min(n-2, 20), h.window)
		h.blocked.Store(at.Add(pause).UnixNano())
	}
	return false, pause
}

// overdrawn records that slow calls took so long, and reports whether they took
// more within a second than they may.
func (h *health) overdrawn(took time.Duration, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	forgiven := time.Duration(min(max(at.Sub(h.takenAt).Seconds(), 0), 1) * float64(h.slow))
	h.taken, h.takenAt = max(h.taken-forgiven, 0)+took, at
	if h.taken <= h.slow {
		return false
	}
	h.taken = h.slow
	return true
}

// release forgets all faults.
func (h *health) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent, h.last, h.taken = nil, "", 0
	h.blocked.Store(0)
}

// state returns the plugin's state and the reason for it.
func (h *health) state(now time.Time) (State, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch until := h.blocked.Load(); {
	case until == forever:
		return Quarantined, fmt.Sprintf("%s within %s; the last: %s; replace the file or release it", count(len(h.recent), "fault"), h.window, h.last)
	case until > now.UnixNano():
		return Paused, fmt.Sprintf("%s, until %s", h.last, time.Unix(0, until).UTC().Format(time.RFC3339Nano))
	}
	return Running, h.last
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
