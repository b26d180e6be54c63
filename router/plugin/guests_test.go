package plugin

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
)

// testCache keeps compiled guests from one test to the next.
var testCache string

func TestMain(m *testing.M) {
	if dir := os.Getenv(mortalFolder); dir != "" {
		mortal(dir)
		return
	}
	var err error
	if testCache, err = os.MkdirTemp("", "plugin-cache"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(testCache)
		os.Exit(code)
	}))
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// install puts a file into the folder the way an operator should: under
// another name first.
func install(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	write(t, filepath.Join(dir, name+".new"), content)
	if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// testConfig is a host's on a folder of its own.
func testConfig(t testing.TB) Config {
	t.Helper()
	c := DefaultConfig()
	c.Dir = t.TempDir()
	c.CacheDir = testCache
	c.Workers = 2
	c.StartTimeout, c.CallTimeout = time.Minute, time.Minute // machines are slow
	c.Settle = 5 * time.Millisecond
	c.Rescan = 50 * time.Millisecond
	return c
}

// testHost loads the files (name, module, name, module, …) into a host.
func testHost(t testing.TB, c Config, settings map[string]Settings, files ...any) *Host {
	t.Helper()
	h := newTestHost(t, c, settings, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	h.install(t, files...)
	return h
}

func newTestHost(t testing.TB, c Config, settings map[string]Settings, log *slog.Logger) *Host {
	t.Helper()
	h, err := New(c, settings, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// install puts the files into the host's folder and loads them.
func (h *Host) install(t testing.TB, files ...any) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		module, ok := files[i+1].([]byte)
		if !ok {
			module = guesttest.Assemble(t, files[i+1].(string))
		}
		install(t, h.cfg.Dir, files[i].(string), module)
	}
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func testRunner(t testing.TB, h *Host) *Runner {
	r := h.NewRunner()
	t.Cleanup(r.Close)
	return r
}

// testLog writes into the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// gather collects what a worker emits for one notification, as text.
func gather(w *Runner, n *event.Notification) ([]string, Outcome) {
	var got []string
	o := w.Handle(context.Background(), n, func(e Emission) {
		got = append(got, fmt.Sprintf("%s: %s|%s|%s", e.Plugin, e.Channel, e.Key, e.Payload))
	})
	return got, o
}

// loggingHost is testHost with its log to be read.
func loggingHost(t testing.TB, c Config, settings map[string]Settings, files ...any) (*Host, *guesttest.Log) {
	t.Helper()
	log := new(guesttest.Log)
	h := newTestHost(t, c, settings, log.Logger())
	h.install(t, files...)
	return h, log
}

// lookup reads an entry of a store.
func lookup(s *guest.Store, key string) string {
	buf := make([]byte, 64)
	_, n := s.Get(guest.Owner{Project: guesttest.Project}, []byte(key), buf, guesttest.At)
	return string(buf[:n])
}
