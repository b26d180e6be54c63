package guest

import (
	"errors"
	"time"

	"github.com/tetratelabs/wazero/api"

	"horizon-realtime/router/fuel"
)

// tank is the fuel and the time of the call under way. Fuel is handed out in
// slices: when one is used up, or now and then between host calls, the guest is
// in Go code for a moment. That is when Go's collector gets its turn, as it cannot
// interrupt the guest itself, and when the call is cut off if it has taken too
// long. The goroutine that calls the guest owns it.
type tank struct {
	fuel    fuel.Tank
	counter api.MutableGlobal

	// budget is how much fuel the call may take.
	budget int64
	// limit is how long the call may take, and took how long it has. Seen is when
	// it was looked at, 0 for not yet; calls is how often the host was called
	// since then.
	limit, took, seen time.Duration
	calls             int
	// ran is the thread's time at the last look, once the call has come far.
	ran ThreadTime
	// looks is how often it was looked at.
	looks int
	// had is how much fuel was left at that time.
	had int64
	// used is what the last call took.
	used int64
}

const (
	// shortCall is how much fuel a short call takes at most.
	shortCall = 50_000
	// grace is how long a call may go on behind its limit.
	grace = 3 * time.Millisecond
	// slowestCall is the longest that a call of the host can be made to last.
	slowestCall = time.Millisecond
	// callsPerLook is how many host calls may be made between two looks at the
	// clock.
	callsPerLook = 16
)

// errTime ends a call that takes too long.
var errTime = errors.New("out of time")

// epoch is what time is measured from, as that is cheaper than to tell it.
var epoch = time.Now()

func newTank(mod api.Module) tank {
	return tank{counter: mod.ExportedGlobal(fuel.Global).(api.MutableGlobal)}
}

// fill starts a call that may use so much fuel and time. A call is expected to do
// about as much as the one before: a short one does without the clock, and gets
// no more fuel than it could do harm with meanwhile.
func (t *tank) fill(units int64, limit time.Duration) {
	first := int64(shortCall)
	t.seen = 0
	if t.used > shortCall {
		first, t.seen = fuel.Slice, time.Since(epoch)
	}
	t.budget, t.had, t.limit = units, units, limit
	t.took, t.calls, t.looks, t.ran = 0, 0, 0, ThreadTime{}
	t.counter.Set(uint64(t.fuel.Fill(units, first)))
}

// spent ends a call, and returns how much fuel it has taken.
func (t *tank) spent() int64 {
	t.used = t.budget - t.fuel.Left(int64(t.counter.Get()))
	return t.used
}

// take charges for work of the host.
func (t *tank) take(units int64) error {
	counter := fuel.Spend(int64(t.counter.Get()), units)
	var err error
	if counter < 0 || t.calls >= callsPerLook {
		counter, err = t.refill(counter)
	}
	t.counter.Set(uint64(counter))
	return err
}

// refill hands the next slice out, given what the counter says, and returns what
// it is to say. Near the limit a slice is small enough for the call to end in
// time.
//
// # Errors
//
// fuel.ErrFuel, fuel.ErrStack and errTime.
func (t *tank) refill(counter int64) (int64, error) {
	before := t.fuel.Left(counter)
	t.pass(t.had - before)
	if t.took > t.limit {
		return counter, errTime
	}
	most := min(fuel.Slice, int64((t.limit-t.took+grace)/fuel.SlowestUnit))
	counter, err := t.fuel.Refill(counter, most)
	t.had = before
	return counter, err
}

// pass counts the time since the last look, in which so much fuel was used. What
// takes longer than that can is the machine's doing, which had something else to
// run. Nobody looks as a short call begins, which would cost it a tenth.
func (t *tank) pass(units int64) {
	now := time.Since(epoch)
	if t.seen > 0 {
		most := time.Duration(units)*fuel.SlowestUnit + time.Duration(t.calls)*slowestCall
		t.took += min(t.since(now), most)
	}
	t.seen, t.calls = now, 0
	t.looks++
}

// since returns the time since the last look. A call that has come far is asked for
// the time that it was running in: others may keep the machine busy.
func (t *tank) since(now time.Duration) time.Duration {
	d := now - t.seen
	if t.took < t.limit/4 {
		return d
	}
	before := t.ran
	t.ran = ThreadNow()
	if ran, known := t.ran.Since(before); known {
		return ran
	}
	return d
}
