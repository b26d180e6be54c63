package guest

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the time that a thread has been running on a core.
type threadTime struct {
	thread int
	ran    time.Duration
}

// now returns that of the current thread.
func (threadTime) now() (t threadTime) {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) == nil {
		t.thread, t.ran = unix.Gettid(), time.Duration(ts.Nano())
	}
	return t
}
