package session

import (
	"time"

	"golang.org/x/time/rate"
)

// arrivalSeconds is how many seconds' worth of clients may connect at once.
const arrivalSeconds = 10

// arrivals limits how many clients connect: after an outage everybody comes back
// at once. Nil sets no limit.
type arrivals struct{ limiter *rate.Limiter }

func newArrivals(perSecond int) *arrivals {
	if perSecond == 0 {
		return nil
	}
	return &arrivals{rate.NewLimiter(rate.Limit(perSecond), arrivalSeconds*perSecond)}
}

// take counts a client that wants to connect, before anything is spent on it, and
// reports whether it may.
func (a *arrivals) take(now time.Time) bool { return a == nil || a.limiter.AllowN(now, 1) }

// giveBack undoes take for a client that turned out to be nobody: strangers must
// not use up the rate of those whom it is for.
func (a *arrivals) giveBack(now time.Time) {
	if a != nil {
		a.limiter.AllowN(now, -1)
	}
}
