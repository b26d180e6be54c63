//go:build !linux

package guest

import "time"

// threadTime would be the time that a thread has been running on a core.
type threadTime struct {
	thread int
	ran    time.Duration
}

func (threadTime) now() (t threadTime) { return t }
