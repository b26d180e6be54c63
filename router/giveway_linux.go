package router

import (
	"errors"
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
			switch turned, err := makeBatch(id); {
			case errors.Is(err, unix.ESRCH): // it has ended
			case err != nil:
				return err
			default:
				changed = changed || turned
			}
		}
	}
	return nil
}

// makeBatch tells whether it had to.
func makeBatch(thread int) (turned bool, err error) {
	now, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		return false, fmt.Errorf("sched_getattr: %w", err)
	}
	if now.Policy != unix.SCHED_NORMAL {
		return false, nil
	}
	if err := unix.SchedSetAttr(thread, &unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: now.Nice}, 0); err != nil {
		return false, fmt.Errorf("sched_setattr: %w", err)
	}
	return true, nil
}
