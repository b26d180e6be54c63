package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/plugin/guest"
)

// guestLimits are a router's by default.
func guestLimits() guest.Limits {
	c := plugin.DefaultConfig()
	return guest.Limits{
		ModuleBytes: int(c.MaxModuleBytes), Fuel: c.Fuel, InitFuel: c.InitFuel, MemoryBytes: c.MemoryBytes,
		Emissions: c.EmissionsPerEvent, EmissionBytes: c.BytesPerEmission, ResultBytes: c.BytesPerEvent, HostCalls: c.HostCallsPerEvent,
		StartTimeout: c.StartTimeout, CallTimeout: c.CallTimeout,
	}
}

// bench measures modules. It keeps its thread to itself, and counts that
// thread's time, as others may keep the machine busy.
type bench struct {
	dir          string
	notification *event.Notification
}

func newBench(dir string) (*bench, error) {
	runtime.LockOSThread()
	var members strings.Builder
	for i := range 500 {
		fmt.Fprintf(&members, `"member_%d": {"name": "a \"name\" that has 80 characters, of which some are escaped: \u00e9\n", "n": [1, 2, %d]}, `, i, i)
	}
	n := new(event.Notification)
	if err := n.Load([]byte(`{"payload": {` + members.String() + `"a": {"b": 1}}}`)); err != nil {
		return nil, err
	}
	n.Type, n.Project = "compute.instance.update", "8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e"
	n.SetTime(time.Now())
	return &bench{dir: dir, notification: n}, nil
}

// errTrap: a module ended by something else than its fuel or its time.
var errTrap = errors.New("it ends by itself")

// perUnit returns what a unit of fuel takes in nanoseconds, the least of several runs.
//
// # Errors
//
// errTrap, or the module is not admitted.
func (b *bench) perUnit(m *module, units int64, runs int) (float64, error) {
	limits := guestLimits()
	limits.Fuel, limits.HostCalls, limits.CallTimeout = units, 1<<30, time.Hour
	least := 0.0
	err := b.run(m, limits, runs, func(in *guest.Instance) error {
		took, fault := b.handle(in)
		if fault == nil || fault.Kind != guest.Fuel {
			return fmt.Errorf("%w: %v", errTrap, fault)
		}
		if ns := float64(took) / float64(units); least == 0 || ns < least {
			least = ns
		}
		return nil
	})
	return least, err
}

// call returns how long a call lasts within the default limits, the least of
// several runs, and how it ends.
func (b *bench) call(m *module, runs int) (least time.Duration, end string, err error) {
	err = b.run(m, guestLimits(), runs, func(in *guest.Instance) error {
		took, fault := b.handle(in)
		if fault == nil || fault.Kind == guest.Trap {
			return fmt.Errorf("%w: %v", errTrap, fault)
		}
		if least == 0 || took < least {
			least, end = took, fault.Text
		}
		return nil
	})
	return least, end, err
}

// run calls do with a new instance of the module, so often.
func (b *bench) run(m *module, limits guest.Limits, runs int, do func(*guest.Instance) error) error {
	compiled, err := b.compile(m, limits, false)
	if err != nil {
		return err
	}
	defer compiled.Close()
	for range runs {
		in, err := compiled.Start(b.env(limits))
		if err != nil {
			return err
		}
		err = do(in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) compile(m *module, limits guest.Limits, start bool) (*guest.Module, error) {
	code, err := m.assemble(b.dir, start)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "code")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	options := guest.Options{Name: "search", Limits: limits, CacheDir: dir, Compilers: 1}
	image, err := guest.Build(context.Background(), code, options)
	if err != nil {
		return nil, err
	}
	return guest.Load(image, options)
}

func (b *bench) env(limits guest.Limits) *guest.Env {
	c := plugin.DefaultConfig()
	return &guest.Env{
		Name: "search", Config: []byte("{}"), Store: guest.NewStore(c.KVEntries, c.KVBytes, c.KVTTL),
		Log: guest.NewLog(slog.New(slog.DiscardHandler), c.LogLinesPerSecond, c.LogBytesPerSecond),
	}
}

// handle calls an instance, and returns how long this thread worked for it.
func (b *bench) handle(in *guest.Instance) (time.Duration, *guest.Fault) {
	began := threadTime()
	fault := in.Handle(b.notification)
	return threadTime() - began, fault
}

func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

// stops is what a module does to the process within the default limits.
type stops struct {
	start time.Duration // that of its start, if it works there
	end   string        // of the start
	pause time.Duration // the longest stop of the world, while it is called and started
}

// stops starts and calls a module for a while, with a collection forced every 50 ms.
func (b *bench) stops(m *module, span time.Duration, pauses func() func() time.Duration) (s stops, err error) {
	limits := guestLimits()
	calls, err := b.compile(m, limits, false)
	if err != nil {
		return s, err
	}
	defer calls.Close()
	starts, err := b.compile(m, limits, true)
	if err != nil {
		return s, err
	}
	defer starts.Close()
	done, collected := make(chan struct{}), make(chan struct{})
	longest := pauses()
	go func() {
		defer close(collected)
		for pace := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-done:
				pace.Stop()
				return
			case <-pace.C:
				runtime.GC()
			}
		}
	}()
	env := b.env(limits)
	began := threadTime()
	if in, err := starts.Start(env); err != nil {
		s.end = err.Error()
	} else {
		in.Close()
	}
	s.start = threadTime() - began
	for until := time.Now().Add(span); time.Now().Before(until); {
		in, err := calls.Start(env)
		if err != nil {
			break
		}
		in.Handle(b.notification)
		in.Close()
	}
	close(done)
	<-collected
	s.pause = longest()
	return s, nil
}
