package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/router/testwait"
	"horizon-realtime/sdk/abi"
)

// payloads is what a worker emits for a compute event now.
func payloads(t testing.TB, w *Runner) string {
	got, _ := gather(w, guesttest.Notification(t, "compute.x", "{}"))
	return strings.Join(got, " ")
}

func reload(t testing.TB, h *Host) {
	t.Helper()
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestNewVersionTakesOver(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "50-a.wasm", guesttest.Saying("1"), "60-b.wasm", guesttest.Saying("1"))
	w := testRunner(t, h)
	if got := payloads(t, w); got != "a: public/a||1 b: public/a||1" {
		t.Fatal(got)
	}
	b := h.current.load().versions[1]
	install(t, c.Dir, "50-a.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	reload(t, h)
	if got := payloads(t, w); got != "a: public/a||2 b: public/a||1" {
		t.Error(got)
	}
	if h.current.load().versions[1] != b {
		t.Error("b was loaded again, though nothing about it has changed")
	}
}

func TestBadVersionLeavesTheOldOneRunning(t *testing.T) {
	c := testConfig(t)
	h, log := loggingHost(t, c, nil, "50-a.wasm", guesttest.Saying("1"))
	w := testRunner(t, h)
	install(t, c.Dir, "50-a.wasm", guesttest.Assemble(t, "(module)"))
	reload(t, h)
	if got := payloads(t, w); got != "a: public/a||1" {
		t.Error(got)
	}
	const refusal = `plugin 50-a.wasm: it has no export "hr_abi_1", so it is no plugin for this router; build it with the sdk (GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared)`
	s := h.Status()[0]
	if s.State != Running || s.Refused != refusal {
		t.Errorf("got %s, %s", s.State, s.Refused)
	}
	if want := "refused a new version of a plugin; the one before it goes on running"; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, log)
	}
	lines := strings.Count(log.String(), "\n")
	reload(t, h)
	if strings.Count(log.String(), "\n") != lines {
		t.Errorf("the same refusal is logged again:\n%s", log)
	}
	install(t, c.Dir, "50-a.wasm", guesttest.Assemble(t, guesttest.Saying("3")))
	reload(t, h)
	if s := h.Status()[0]; payloads(t, w) != "a: public/a||3" || s.Refused != "" {
		t.Errorf("a good version does not take over: %+v", s)
	}
}

func TestRemovedAndRenamedFiles(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"), "20-b.wasm", guesttest.Saying("2"))
	w := testRunner(t, h)
	if err := os.Rename(filepath.Join(c.Dir, "10-a.wasm"), filepath.Join(c.Dir, "30-a.wasm")); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if got := payloads(t, w); got != "b: public/a||2 a: public/a||1" {
		t.Error(got)
	}
	if err := os.Remove(filepath.Join(c.Dir, "20-b.wasm")); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if got := payloads(t, w); got != "a: public/a||1" {
		t.Error(got)
	}
}

func TestWhatIsNotLoadedSaysWhy(t *testing.T) {
	c := testConfig(t)
	c.MaxPlugins = 3
	no := false
	h, log := loggingHost(t, c, map[string]Settings{"off": {Enabled: &no}, "ghost": {}},
		"10-a.wasm", guesttest.Saying("1"), "20-a.wasm", guesttest.Saying("2"), "30-Nova!.wasm", guesttest.Saying("3"), "40-off.wasm", guesttest.Saying("4"), "50-e.wasm", guesttest.Saying("5"))
	var got []string
	for _, s := range h.Status() {
		got = append(got, fmt.Sprintf("%s %s: %s", s.File, s.State, s.Reason))
	}
	want := []string{
		"10-a.wasm running: ",
		"20-a.wasm refused: plugin 20-a.wasm: its name \"a\" is taken by 10-a.wasm; rename or remove one of them",
		"30-Nova!.wasm refused: plugin 30-Nova!.wasm: its name \"Nova!\" is no plugin's name; use 1 to 64 characters of a-z 0-9 _ -",
		"40-off.wasm refused: plugin 40-off.wasm: there are 3 plugins before it, which is the limit; remove some, or raise [plugins] max_plugins",
		"50-e.wasm refused: plugin 50-e.wasm: there are 3 plugins before it, which is the limit; remove some, or raise [plugins] max_plugins",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := "[plugin.ghost]: no file ghost.wasm or NN-ghost.wasm in "; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %q:\n%s", want, log)
	}
}

func TestReconfigureLoadsOnlyWhatChanged(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"), "20-b.wasm", guesttest.Saying("2"))
	w := testRunner(t, h)
	a := h.current.load().versions[0]
	no := false
	if err := h.Reconfigure(context.Background(), map[string]Settings{"b": {Enabled: &no}}); err != nil {
		t.Fatal(err)
	}
	if got := payloads(t, w); got != "a: public/a||1" || h.Status()[1].State != Disabled {
		t.Errorf("%s; %+v", got, h.Status()[1])
	}
	if err := h.Reconfigure(context.Background(), map[string]Settings{"b": {Grants: []string{"admin"}, Topics: []string{"x", "y"}}}); err != nil {
		t.Fatal(err)
	}
	var permits []event.Permit
	w.Handle(context.Background(), guesttest.Notification(t, "compute.x", "{}"), func(e Emission) { permits = append(permits, *e.Permit) })
	if diff := cmp.Diff([]event.Permit{{Topics: []string{"a"}}, {Grants: event.GrantAdmin, Topics: []string{"x", "y"}}}, permits); diff != "" {
		t.Error(diff)
	}
	if h.current.load().versions[0] != a {
		t.Error("a was loaded again, though its table has not changed")
	}
	err := h.Reconfigure(context.Background(), map[string]Settings{"b": {Grants: []string{"root"}}})
	if err == nil || err.Error() != `[plugin.b] grants: unknown grant "root"; there are admin, cross_project, shared, stop` {
		t.Errorf("got %v", err)
	}
}

func TestPermissionsGoEvenWhereTheNewSettingsDoNotStart(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, map[string]Settings{"a": {Grants: []string{"admin", "cross_project"}, Topics: []string{"a", "b"}}}, "10-a.wasm", guesttest.Saying("1"))
	w := testRunner(t, h)
	if err := os.WriteFile(filepath.Join(c.Dir, "10-a.wasm"), []byte("not wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.Reconfigure(context.Background(), map[string]Settings{"a": {Grants: []string{"cross_project", "stop"}, Topics: []string{"b", "c"}}}); err != nil {
		t.Fatal(err)
	}
	w.Handle(context.Background(), guesttest.Notification(t, "compute.x", "{}"), func(e Emission) {
		if diff := cmp.Diff(&event.Permit{Grants: event.GrantCrossProject, Topics: []string{"b"}}, e.Permit); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStoreOutlivesAReload(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"))
	h.current.load().versions[0].record.store.Set(guest.Owner{Project: guesttest.Project}, []byte("k"), []byte("v"), 0, abi.KVAnyVersion, guesttest.At)
	install(t, c.Dir, "10-a.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	reload(t, h)
	if value := lookup(h.current.load().versions[0].record.store, "k"); value != "v" {
		t.Errorf("got %q", value)
	}
}

func TestFilesAreWatched(t *testing.T) {
	for _, way := range []string{"notified", "polled"} {
		t.Run(way, func(t *testing.T) {
			c := testConfig(t)
			if way == "notified" {
				c.Rescan = time.Hour
			}
			h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"))
			ctx, stop := context.WithCancel(context.Background())
			var running sync.WaitGroup
			running.Go(func() {
				w := folderWatch{host: h}
				if err := w.run(ctx, way == "notified"); err != nil {
					t.Error(err)
				}
			})
			t.Cleanup(func() { stop(); running.Wait() })
			w := testRunner(t, h)
			becomes := func(want string) {
				t.Helper()
				testwait.Until(t, want, func() bool { return payloads(t, w) == want })
			}
			install(t, c.Dir, "10-a.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
			becomes("a: public/a||2")
			install(t, c.Dir, "20-b.wasm", guesttest.Assemble(t, guesttest.Saying("3")))
			becomes("a: public/a||2 b: public/a||3")
			if err := os.Remove(filepath.Join(c.Dir, "10-a.wasm")); err != nil {
				t.Fatal(err)
			}
			becomes("b: public/a||3")
		})
	}
}

// A file is read once it looked the same twice.
func TestHalfWrittenFilesAreNotRead(t *testing.T) {
	c := testConfig(t)
	h, log := loggingHost(t, c, nil)
	w := folderWatch{host: h, settle: time.NewTimer(time.Hour)}
	module := guesttest.Assemble(t, guesttest.Saying("1"))
	f, err := os.Create(filepath.Join(c.Dir, "10-a.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range module {
		if _, err := f.Write(module[i : i+1]); err != nil {
			t.Fatal(err)
		}
		w.rescan(t.Context())
		if len(h.current.load().files) > 0 {
			t.Fatalf("it was read with %d bytes of %d:\n%s", i+1, len(module), log)
		}
	}
	w.rescan(t.Context())
	if len(h.current.load().versions) != 1 {
		t.Errorf("it is not loaded:\n%s", log)
	}
}

func TestReadRefusesAFileThatChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wasm")
	write(t, path, make([]byte, 2000))
	if _, err := readModule(path, 1000); err == nil || !strings.HasPrefix(err.Error(), "it has 2000 bytes, over the limit of 1000; ") {
		t.Errorf("got %v", err)
	}
	if _, err := readModule(filepath.Dir(path), 1000); err == nil || !strings.HasSuffix(err.Error(), "is a folder and no regular file") {
		t.Errorf("got %v", err)
	}
}

// Reloads while four workers are busy: every notification is answered exactly
// once, by one version or the other, and nothing of the old ones stays.
func TestReloadsUnderTraffic(t *testing.T) {
	c := testConfig(t)
	c.Workers = 4
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"), "20-b.wasm", guesttest.Saying("0"))
	h.log = slog.New(slog.DiscardHandler)
	versions := [2][]byte{guesttest.Assemble(t, guesttest.Saying("1")), guesttest.Assemble(t, guesttest.Saying("2"))}
	before := runtime.NumGoroutine()

	var stop atomic.Bool
	var handled, fromA, fromB atomic.Int64
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			w := h.NewRunner()
			defer w.Close()
			n := guesttest.Notification(t, "compute.x", "{}")
			for i := 0; !stop.Load(); i++ {
				o := w.Handle(context.Background(), n, func(e Emission) {
					if e.Plugin == "a" {
						fromA.Add(1)
					} else {
						fromB.Add(1)
					}
				})
				if o != (Outcome{Called: 2, Emitted: 2}) {
					t.Errorf("got %+v", o)
					return
				}
				handled.Add(1)
				if i%50 == 0 {
					w.Idle()
				}
			}
		})
	}
	for i := range 100 {
		install(t, c.Dir, "10-a.wasm", versions[(i+1)%2])
		reload(t, h)
		reached := handled.Load() + 20
		testwait.Until(t, "traffic", func() bool { return handled.Load() >= reached || t.Failed() })
	}
	stop.Store(true)
	work.Wait()
	if handled.Load() != fromA.Load() || handled.Load() != fromB.Load() {
		t.Errorf("%d notifications, %d emissions of a, %d of b", handled.Load(), fromA.Load(), fromB.Load())
	}
	if n := h.records.byName["a"].instances.Load(); n > 1 {
		t.Errorf("%d instances of a are left", n)
	}
	if n := h.current.load().holds.Load(); n != 1 {
		t.Errorf("the current set is held %d times", n)
	}
	// A look for overtime may be on its way.
	testwait.Until(t, "no goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
}

// What a hundred reloads leave behind is less than one version's instances.
func TestReloadsGiveMemoryBack(t *testing.T) {
	c := testConfig(t)
	h := testHost(t, c, nil, "10-a.wasm", guesttest.Saying("1"))
	h.log = slog.New(slog.DiscardHandler)
	w := testRunner(t, h)
	versions := [2][]byte{guesttest.Assemble(t, guesttest.Saying("1")), guesttest.Assemble(t, guesttest.Saying("2"))}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round := func() {
		for i := range 50 {
			install(t, c.Dir, "10-a.wasm", versions[(i+1)%2])
			reload(t, h)
			payloads(t, w)
		}
	}
	round()
	before := heap()
	round()
	if after := heap(); after > before+4<<20 {
		t.Errorf("50 reloads leave %d bytes", after-before)
	}
}

func TestCloseIsIdempotentAndWaitsForWorkers(t *testing.T) {
	h := testHost(t, testConfig(t), nil, "10-a.wasm", guesttest.Saying("1"))
	w := h.NewRunner()
	s := w.set
	h.Close()
	h.Close()
	if s.holds.Load() != 1 {
		t.Errorf("the set is held %d times while its worker is alive", s.holds.Load())
	}
	w.Close()
	w.Close()
	if s.holds.Load() != 0 || h.records.byName["a"].instances.Load() != 0 {
		t.Error("the last worker did not close the set")
	}
	if o := w.Handle(context.Background(), guesttest.Notification(t, "compute.x", "{}"), nil); o != (Outcome{}) {
		t.Errorf("a closed worker handled: %+v", o)
	}
	if err := h.Load(context.Background()); err == nil {
		t.Error("a closed host loaded")
	}
}

func TestNewRefusals(t *testing.T) {
	c := testConfig(t)
	c.Fuel = 1
	_, err := New(c, map[string]Settings{"A": {}}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	want := "[plugins] fuel = 1: between 1000 and 1125899906842624\n[plugin.A]: a plugin's name has 1 to 64 characters of a-z 0-9 _ -"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	c = testConfig(t)
	c.Dir = filepath.Join(c.Dir, "missing")
	h := newTestHost(t, c, nil, slog.New(slog.DiscardHandler))
	if err := h.Load(context.Background()); !errors.Is(err, os.ErrNotExist) || !strings.HasSuffix(err.Error(), "; make it, or set [plugins] dir") {
		t.Errorf("got %v", err)
	}
}
