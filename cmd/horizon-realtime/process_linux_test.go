package main

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAllThreadsHaveLowPriority(t *testing.T) {
	if err := lowerPriority(); err != nil {
		t.Fatal(err)
	}
	// A goroutine that keeps its thread makes Go start others.
	var locked sync.WaitGroup
	release := make(chan struct{})
	defer close(release)
	for range 4 {
		locked.Add(1)
		go func() {
			runtime.LockOSThread()
			locked.Done()
			<-release
		}()
	}
	locked.Wait()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < 5 {
		t.Fatalf("%d threads: %v", len(threads), err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil || attr.Policy != unix.SCHED_BATCH {
			t.Errorf("thread %d: %+v, %v", id, attr, err)
		}
	}
}
