package session

import "time"

// instant is a time, in nanoseconds since the process began; 0 is none. A session has
// many, and each is a third of a time.Time.
type instant int64

var began = time.Now()

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return max(1, instant(t.Sub(began)))
}

// time is the zero time if there is none.
func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return began.Add(time.Duration(i))
}

// sooner is the earlier of two.
func sooner(a, b instant) instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
