package plugin

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/plugin/guest/guesttest"
)

func TestBudgetIsForASecondAndByProject(t *testing.T) {
	b := newEmissionBudget(10, 6)
	now := guesttest.At
	for i, c := range []struct {
		n       int
		project string
		want    bool
	}{
		{4, "a", true}, {3, "a", false}, {2, "a", true}, {1, "a", false}, // its six are used up
		{5, "b", false}, {4, "b", true}, {1, "c", false}, // all ten are
	} {
		if got := b.take(c.n, c.project, now); got != c.want {
			t.Errorf("%d: %t", i, got)
		}
	}
	if now = now.Add(time.Second); !b.take(6, "a", now) || len(b.usedFor) != 1 {
		t.Errorf("a second later %d projects are remembered", len(b.usedFor))
	}
}

// A plugin emits what it likes within four emissions per call; what is beyond
// counts by its length, and is dropped once the budget is used up.
func TestEmissionsBeyondTheBudgetAreDropped(t *testing.T) {
	say := func(times int, payload string) string {
		return guesttest.Answering("on compute.*\n", bytes.Repeat(guesttest.Emit("public/a", "", payload), times), "")
	}
	c := testConfig(t)
	c.EmissionsPerSecond, c.EmissionsPerSecondAndProject = 100, 20
	h := testHost(t, c, nil, "10-few.wasm", say(freeUnits, "1"), "20-many.wasm", say(freeUnits+9, "1"),
		"30-long.wasm", say(3, `"`+strings.Repeat("x", 2*unitBytes)+`"`)) // each counts as three
	h.now = func() time.Time { return guesttest.At }
	r := testRunner(t, h)
	for range 50 {
		gather(r, guesttest.Notification(t, "compute.x", "{}"))
	}
	var got [][2]uint64
	for _, s := range h.Status() {
		got = append(got, [2]uint64{s.Emissions, s.Dropped})
		if s.Faults != 0 {
			t.Errorf("%s has %d faults", s.Name, s.Faults)
		}
	}
	// The last one's first emission is always free, and the others cost five units.
	want := [][2]uint64{{50 * freeUnits, 0}, {50*freeUnits + 20, 50*9 - 20}, {50 + 2*4, 2 * 46}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An emission that is too long is dropped, and no fault.
func TestLongEmissionsAreDropped(t *testing.T) {
	c := testConfig(t)
	c.BytesPerEmission = 64
	h, log := loggingHost(t, c, nil, "10-a.wasm", guesttest.Answering("on compute.*\n",
		append(guesttest.Emit("public/a", "", `"`+strings.Repeat("x", 64)+`"`), guesttest.Emit("public/a", "", "1")...), ""))
	got, o := gather(testRunner(t, h), guesttest.Notification(t, "compute.x", "{}"))
	if o != (Outcome{Called: 1, Emitted: 1, Dropped: 1}) || len(got) != 1 || h.Status()[0].Dropped != 1 {
		t.Errorf("got %v, %+v, %+v", got, o, h.Status()[0])
	}
	const want = `level=WARN msg="dropped emissions: 1; the last: the payload has 66 bytes, over the limit of 64; send less, or raise [plugins] bytes_per_emission" plugin=a message_id=0e5b1c2d`
	if !strings.Contains(log.String(), want) {
		t.Errorf("the log does not say so:\n%s", log)
	}
}
