package fuel

import (
	"errors"
	"time"
)

// The counter holds two numbers, so that one instruction changes both: in its
// upper bits what is left of the slice, which decides its sign, and in the lower
// ones how many values the frames of the call hold.
const (
	stackBits = 22
	stackMask = 1<<stackBits - 1
	// stackValues is how many values, of 8 or 16 bytes, the frames of a call may
	// hold together. It is looked at at safepoints, and as a large frame is
	// entered; by then there may be three times as many.
	stackValues = 1 << 20
)

const (
	// Slice is the most fuel that is handed out at a time, so that a slice takes
	// 6 ms at the most. That bounds how long the rest of the process can be made
	// to wait.
	Slice = 150_000
	// SlowestUnit is the longest that a unit can be made to last, by loads that
	// miss every cache. What lasts longer is the machine's doing, which had
	// something else to run.
	SlowestUnit = 40 * time.Nanosecond
)

// Tank holds the fuel of one call, and hands it out in slices. It belongs to one
// instance.
type Tank struct {
	rest int64
}

// Fill starts a call that may take so many units, of them first in the first
// slice, and returns what the counter is to say.
func (t *Tank) Fill(units, first int64) int64 {
	t.rest = units
	return t.slice(first, 0)
}

// Errors of a call that must end.
var (
	ErrFuel  = errors.New("the fuel is used up")
	ErrStack = errors.New("calls are too deep in one another")
)

// Refill hands out the next slice, of so many units at the most, given what the
// counter says. It returns what that is to say then.
//
// # Errors
//
// ErrFuel and ErrStack.
func (t *Tank) Refill(counter, most int64) (int64, error) {
	left, values := t.Left(counter), counter&stackMask
	switch {
	case left < 0:
		return counter, ErrFuel
	case values > stackValues:
		return counter, ErrStack
	}
	t.rest = left
	return t.slice(most, values), nil
}

// Left is how much the call may still spend, given what the counter says; below
// zero if it has spent more than it may.
func (t *Tank) Left(counter int64) int64 { return t.rest + counter>>stackBits }

// Spend is what the counter says once the host has charged for work of its own.
// Below zero, there has to be a Refill.
func Spend(counter, units int64) int64 { return counter - units<<stackBits }

func (t *Tank) slice(most, values int64) int64 {
	n := min(t.rest, most)
	t.rest -= n
	return n<<stackBits | values
}
