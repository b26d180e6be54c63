package session

import "time"

// bucket limits a rate, as golang.org/x/time/rate does in five times as many bytes. Its
// user guards it.
type bucket struct {
	tokens float64
	filled instant
}

// take takes a token, of which perSecond come in, and reports whether there was one.
func (b *bucket) take(now time.Time, perSecond, burst int) bool {
	at := instantOf(now)
	if b.filled == 0 {
		b.tokens = float64(burst)
	} else {
		b.tokens = min(b.tokens+float64(perSecond)*time.Duration(at-b.filled).Seconds(), float64(burst))
	}
	if b.filled = at; b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
