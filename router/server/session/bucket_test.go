package session

import (
	"testing"
	"time"
)

// TestBucket: a burst at once, then as many as come in, and never more than the burst.
func TestBucket(t *testing.T) {
	var b bucket
	at := time.Now()
	for _, c := range []struct {
		pause time.Duration
		want  int
	}{{0, 5}, {0, 0}, {99 * time.Millisecond, 0}, {2 * time.Millisecond, 1}, {time.Second, 5}, {time.Hour, 5}} {
		at = at.Add(c.pause)
		n := 0
		for b.take(at, 10, 5) {
			n++
		}
		if n != c.want {
			t.Errorf("after %s: %d, not %d", c.pause, n, c.want)
		}
	}
}
