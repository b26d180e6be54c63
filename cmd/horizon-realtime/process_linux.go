package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lowerPriority puts all threads of the process under SCHED_BATCH (sched(7)), and
// with them those that they start later: a thread that wakes up waits for its turn
// and does not preempt RabbitMQ or whatever else runs on the host. A policy that
// somebody has chosen stays. See docs/rationale.md.
//
// # Errors
//
// The kernel or a sandbox around the process forbids it.
func lowerPriority() error {
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
			now, err := unix.SchedGetAttr(id, 0)
			if err == nil && now.Policy == unix.SCHED_NORMAL {
				changed = true
				err = unix.SchedSetAttr(id, &unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: now.Nice}, 0)
			}
			if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended
				return fmt.Errorf("set a thread's scheduling policy: %w", err)
			}
		}
	}
	return nil
}
