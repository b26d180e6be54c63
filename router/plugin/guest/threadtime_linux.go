package guest

import (
	"time"

	"golang.org/x/sys/unix"
)

// ThreadNow returns that of the current thread.
func ThreadNow() (t ThreadTime) {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) == nil {
		t.thread, t.ran = unix.Gettid(), time.Duration(ts.Nano())
	}
	return t
}
