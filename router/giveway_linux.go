package router

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// giveWay makes batch jobs (sched(7)) of the process's threads, and of those that
// they start later: one that wakes up waits for its turn, and does not take the
// core from RabbitMQ or whatever else lives on the host. A policy that somebody has
// chosen stays.
func giveWay() error {
	for changed := true; changed; { // until no thread has been started meanwhile
		changed = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list the threads: %w", err)
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return fmt.Errorf("list the threads: %w", err)
			}
			attr, err := unix.SchedGetAttr(id, 0)
			if err != nil || attr.Policy != unix.SCHED_NORMAL {
				continue // it has ended, or is done
			}
			attr.Policy = unix.SCHED_BATCH
			if err := unix.SchedSetAttr(id, attr, 0); err != nil && err != unix.ESRCH {
				return fmt.Errorf("sched_setattr: %w", err)
			}
			changed = true
		}
	}
	return nil
}
