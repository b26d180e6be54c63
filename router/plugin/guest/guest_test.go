package guest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest/guesttest"
)

// testCache keeps compiled guests from one test to the next.
var testCache string

func TestMain(m *testing.M) {
	var err error
	if testCache, err = os.MkdirTemp("", "guest-cache"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(testCache)
		os.Exit(code)
	}))
}

// testLimits are those that package plugin sets unless it is told otherwise, but
// for the time of a start: machines are slow.
func testLimits() Limits {
	return Limits{
		ModuleBytes: 32 << 20, Fuel: 30_000_000, InitFuel: 200_000_000, MemoryBytes: 16 << 20,
		Emissions: 64, EmissionBytes: 64 << 10, ResultBytes: 256 << 10, HostCalls: 1000, StartTimeout: time.Minute, CallTimeout: time.Minute,
	}
}

// compile makes a module, which is closed with the test. The changes are to its
// limits.
func compile(t testing.TB, code []byte, changes ...func(*Limits)) *Module {
	t.Helper()
	o := Options{Name: "x", Limits: testLimits(), CacheDir: testCache, Compilers: 1}
	for _, change := range changes {
		change(&o.Limits)
	}
	image, err := Build(context.Background(), code, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(image, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func testEnv(name string) (*Env, *guesttest.Log) {
	log := new(guesttest.Log)
	return &Env{
		Name: name, Config: []byte("{}"),
		Store: NewStore(100, 1<<20, time.Hour),
		Log:   NewLog(log.Logger(), 1000, 1<<20),
	}, log
}

// start makes an instance, which is closed with the test.
func start(t testing.TB, m *Module, env *Env) *Instance {
	t.Helper()
	in, err := m.Start(env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

// answer is what an instance emits, as text.
func answer(t testing.TB, in *Instance, n *event.Notification) (got []string) {
	t.Helper()
	if fault := in.Handle(n); fault != nil {
		t.Fatal(fault)
	}
	for _, e := range in.Result().Emissions {
		got = append(got, fmt.Sprintf("%s|%s|%s", e.Channel, e.Key, e.Payload))
	}
	return got
}
