package server

import "time"

// allowance is how many commands a client may still send: it fills at a rate up
// to a bound. One goroutine at a time uses it.
type allowance struct {
	left float64
	at   time.Time
}

func (a *allowance) take(rate, most int) bool {
	now := time.Now()
	a.left = min(float64(most), a.left+now.Sub(a.at).Seconds()*float64(rate))
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}
