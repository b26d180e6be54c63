package guest

import "time"

const (
	// clockTick is how far the clock moves each time it is read.
	clockTick = 1000
	// clockStart is what the monotonic clock of a new instance says.
	clockStart = 1e9
)

// clock is the time as a guest sees it, in nanoseconds: the notification's, and
// what its own readings and sleeps have added since. It does not depend on the
// machine, so a replay sees the same times.
type clock struct {
	// monotonic never goes back.
	monotonic int64
	// The call under way began at event, when monotonic was began.
	event, began int64
}

func (c *clock) begin(at time.Time) { c.event, c.began = at.UnixNano(), c.monotonic }

// wall is the real-time clock, in Unix nanoseconds.
func (c *clock) wall() int64 { return c.event + c.monotonic - c.began }
