// Package testwait waits in tests for what another goroutine or process is about
// to do, and fails the test if it does not happen.
//
// In: what is awaited, in words for the failure, and how to see it. Out: nothing,
// or what was received. Callers: tests only. Every wait is bounded by Limit, far
// more than anything here takes, so that a slow machine fails no test.
package testwait

import (
	"testing"
	"time"
)

// Limit is how long a wait may take.
const Limit = 30 * time.Second

// Until waits until the condition holds. It must be called from the test's own
// goroutine, as all functions here.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !poll(Limit, condition) {
		t.Fatalf("not within %s: %s", Limit, what)
	}
}

// Succeeds waits until try returns no error, and fails with its last one.
func Succeeds(t testing.TB, what string, try func() error) {
	t.Helper()
	var err error
	if !poll(Limit, func() bool { err = try(); return err == nil }) {
		t.Fatalf("not within %s: %s: %v", Limit, what, err)
	}
}

// Receive waits for a value from c, or for c to be closed.
func Receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(Limit):
		t.Fatalf("not within %s: %s", Limit, what)
	}
	return v
}

// poll reports whether the condition held in time. It asks often at first, and
// then every 10 ms, to leave the processor to those it waits for.
func poll(limit time.Duration, condition func() bool) bool {
	deadline, pause := time.Now().Add(limit), 100*time.Microsecond
	for !condition() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
		pause = min(2*pause, 10*time.Millisecond)
	}
	return true
}
