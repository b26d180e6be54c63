package guest

import "time"

// ThreadTime is how long a thread had been running on a core at some moment. The
// zero value stands for "unknown".
type ThreadTime struct {
	thread int
	ran    time.Duration
}

// Since returns how long the goroutine has been running since before. It is not
// known if the system does not say, or another thread has taken over.
func (t ThreadTime) Since(before ThreadTime) (ran time.Duration, known bool) {
	return t.ran - before.ran, t.thread != 0 && t.thread == before.thread
}
