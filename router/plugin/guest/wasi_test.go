package guest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/wazerotest"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fuel"
	"horizon-realtime/router/plugin/guest/guesttest"
)

func TestGoProgramFindsNothingOfTheMachine(t *testing.T) {
	m := compile(t, guesttest.BuildGo(t, "stdlib"))
	env, log := testEnv("stdlib")
	for range 2 {
		in := start(t, m, env)
		got := answer(t, in, guesttest.Notification(t, "compute.x", "{}"))
		want := []string{`public/a||{"args":0,"create":"open /tmp/x: Capabilities insufficient","env":0,` +
			`"file":"open /etc/passwd: Capabilities insufficient","network":true,"now":"2026-11-23T10:00:00Z","random":false,"slept":true,"sum":45}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, want := range []string{
		`level=INFO msg="said on stdout" message_id=0e5b1c2d`,
		`level=WARN msg="said on stderr" message_id=0e5b1c2d`,
	} {
		if !strings.Contains(log.String(), want+"\n") {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

// A call in which the guest collects its garbage takes more than a hundred times
// the fuel of the others. The default allows for that.
func TestGoProgramSurvivesItsGarbageCollections(t *testing.T) {
	env, _ := testEnv("stdlib")
	in := start(t, compile(t, guesttest.BuildGo(t, "stdlib")), env)
	n := guesttest.Notification(t, "compute.x", "{}")
	most := int64(0)
	for range 1200 {
		answer(t, in, n)
		most = max(most, in.Spent())
	}
	if most < 5_000_000 {
		t.Errorf("no call took more than %d units: no garbage was collected", most)
	}
}

// caller makes a call whose host functions work without a guest: its memory has
// one page.
func caller(n *event.Notification) (*call, *wazerotest.Memory) {
	env, _ := testEnv("x")
	limits := testLimits()
	c := &call{tank: tank{counter: settable{wazerotest.GlobalI64(0)}}}
	c.tank.fill(1_000_000, time.Hour)
	c.prepare(env, &limits)
	c.doing = "hr_event"
	if n != nil {
		c.begin(n)
	}
	return c, wazerotest.NewFixedMemory(pageBytes)
}

// settable is a global that can be set.
type settable struct{ *wazerotest.Global }

func (s settable) Set(v uint64) { s.Value = v }

// try calls a host function and returns its result, or the fault that ended it.
func try(c *call, mem api.Memory, f hostFunc, args ...uint64) (result uint64, fault error) {
	defer func() {
		if r := recover(); r != nil {
			fault = r.(error)
		}
	}()
	stack := append(args, 0)
	f.call(c, mem, stack)
	return stack[0], nil
}

func TestFilesAndSocketsAreDenied(t *testing.T) {
	given := "args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_fdstat_get fd_write poll_oneoff proc_exit random_get sched_yield"
	for name, f := range wasiFunctions {
		if slices.Contains(strings.Fields(given), name) {
			continue
		}
		c, mem := caller(nil)
		got, err := try(c, mem, f, make([]uint64, len(f.params))...)
		if err != nil || got != errnoBadFD && got != errnoNoCap {
			t.Errorf("%s answers %d, %v", name, got, err)
		}
	}
}

func TestClockShowsTheNotificationsTime(t *testing.T) {
	c, mem := caller(guesttest.Notification(t, "compute.x", "{}"))
	read := func(clock uint64) int64 {
		t.Helper()
		if got, err := try(c, mem, wasiFunctions["clock_time_get"], clock, 0, 8); got != errnoSuccess || err != nil {
			t.Fatal(got, err)
		}
		v, _ := mem.ReadUint64Le(8)
		return int64(v)
	}
	if got, want := read(0), c.n.At.UnixNano()+clockTick; got != want {
		t.Errorf("real time is %d, want %d", got, want)
	}
	if got := read(1); got != clockStart+2*clockTick {
		t.Errorf("monotonic time is %d", got)
	}
	mem.WriteUint64Le(64+24, 5e9) // a sleep of five seconds
	mem.WriteUint64Le(64, 0xabc)
	if got, err := try(c, mem, wasiFunctions["poll_oneoff"], 64, 256, 1, 512); got != errnoSuccess || err != nil {
		t.Fatal(got, err)
	}
	if n, _ := mem.ReadUint32Le(512); n != 1 {
		t.Errorf("%d events", n)
	}
	if user, _ := mem.ReadUint64Le(256); user != 0xabc {
		t.Errorf("the event is for %#x", user)
	}
	if got, want := read(0), c.n.At.UnixNano()+3*clockTick+5e9; got != want {
		t.Errorf("after a sleep, real time is %d, want %d", got, want)
	}
	mem.WriteUint64Le(64+24, uint64(c.clock.wall())+7) // until a point in time
	mem.WriteUint32Le(64+40, pollAbsolute)
	before := c.clock.monotonic
	if got, err := try(c, mem, wasiFunctions["poll_oneoff"], 64, 256, 1, 512); got != errnoSuccess || err != nil || c.clock.monotonic != before+7 {
		t.Errorf("an absolute sleep moved the clock by %d", c.clock.monotonic-before)
	}
	mem.WriteUint64Le(64+24, 0) // until one long past
	if got, err := try(c, mem, wasiFunctions["poll_oneoff"], 64, 256, 1, 512); got != errnoSuccess || err != nil || c.clock.monotonic != before+7 {
		t.Errorf("a sleep into the past moved the clock by %d", c.clock.monotonic-before-7)
	}
}

func TestPollRefusesFiles(t *testing.T) {
	c, mem := caller(nil)
	mem.WriteByte(64+8, 1) // fd_read
	mem.WriteUint64Le(64, 1)
	mem.WriteUint64Le(64+48, 2) // and a clock
	if got, err := try(c, mem, wasiFunctions["poll_oneoff"], 64, 256, 2, 512); got != errnoSuccess || err != nil {
		t.Fatal(got, err)
	}
	n, _ := mem.ReadUint32Le(512)
	user, _ := mem.ReadUint64Le(256)
	errno, _ := mem.ReadUint16Le(256 + 8)
	if n != 1 || user != 1 || errno != errnoBadFD {
		t.Errorf("%d events, the first for %d with %d", n, user, errno)
	}
	for _, count := range []uint64{0, maxWASIList + 1} {
		if got, err := try(c, mem, wasiFunctions["poll_oneoff"], 64, 256, count, 512); got != errnoInvalid || err != nil {
			t.Errorf("%d subscriptions: %d, %v", count, got, err)
		}
	}
}

func TestRandomIsTheSameInEveryRun(t *testing.T) {
	var runs [2][]byte
	for i := range runs {
		c, mem := caller(nil)
		if got, err := try(c, mem, wasiFunctions["random_get"], 0, 32); got != errnoSuccess || err != nil {
			t.Fatal(got, err)
		}
		runs[i], _ = mem.Read(0, 32)
	}
	if !bytes.Equal(runs[0], runs[1]) || bytes.Equal(runs[0], make([]byte, 32)) {
		t.Errorf("got %x and %x", runs[0], runs[1])
	}
}

func TestHostFunctionsCheckPointers(t *testing.T) {
	for module, functions := range map[string]map[string]hostFunc{"hr": hostFunctions, wasiModule: wasiFunctions} {
		for name, f := range functions {
			for _, bad := range []uint64{pageBytes - 1, 0xfffffff0, 1<<63 | 0x10000} {
				c, mem := caller(guesttest.Notification(t, "compute.x", "{}"))
				args := make([]uint64, len(f.params))
				for i := range args {
					args[i] = bad
				}
				if _, err := try(c, mem, f, args...); err != nil {
					if f := (*Fault)(nil); !errors.As(err, &f) && !errors.Is(err, fuel.ErrFuel) {
						t.Errorf("%s.%s: %v", module, name, err)
					}
				}
			}
		}
	}
}
