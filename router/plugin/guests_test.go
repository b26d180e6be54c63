package plugin

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/abi"
)

// testCache keeps compiled guests from one test to the next.
var testCache string

func TestMain(m *testing.M) {
	var err error
	if testCache, err = os.MkdirTemp("", "plugin-cache"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(testCache)
		os.Exit(code)
	}))
}

// assemble makes a module of text with wabt's wat2wasm.
func assemble(t testing.TB, text string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "guest.wat"), filepath.Join(dir, "guest.wasm")
	write(t, in, []byte(text))
	if msg, err := exec.Command("wat2wasm", "--enable-multi-memory", in, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("assemble a guest with wat2wasm (Debian package wabt): %v\n%s", err, msg)
	}
	module, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

var built sync.Map // folder under testdata → func() ([]byte, error)

// buildGo makes a module of the Go program in a folder of testdata.
func buildGo(t testing.TB, name string) []byte {
	t.Helper()
	build := sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "guest")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		out := filepath.Join(dir, "guest.wasm")
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./testdata/"+name)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		if msg, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, msg)
		}
		return os.ReadFile(out)
	})
	got, _ := built.LoadOrStore(name, build)
	module, err := got.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("build the guest %s: %v", name, err)
	}
	return module
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

// emitRecord is one EMIT record of a result block.
func emitRecord(channel, key, payload string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, abi.TagEmit)
	b = binary.LittleEndian.AppendUint32(b, uint32(abi.EmitHeader+len(channel)+len(key)+len(payload)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(channel)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(key)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(b, channel+key+payload...)
}

var stopRecord = binary.LittleEndian.AppendUint64(nil, abi.TagStop)

// data spells bytes as the text format's strings have it.
func data(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\%02x`, c)
	}
	return s.String()
}

// answering is a guest that subscribes as declared and answers every
// notification with the block. The extra text goes into the module.
func answering(declaration string, block []byte, extra string) string {
	return fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "%s")
  (data (i32.const 8192) "%s")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const %d))
    (i64.const %d))
  (func (export "hr_event") (result i64) (i64.const %d))
  %s)`, data([]byte(declaration)), data(block), len(declaration), 4096<<32|4096, 8192<<32|len(block), extra)
}

// testConfig is a host's on a folder of its own.
func testConfig(t testing.TB) Config {
	t.Helper()
	c := DefaultConfig()
	c.Dir = t.TempDir()
	c.CacheDir = testCache
	c.Workers = 2
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
			module = assemble(t, files[i+1].(string))
		}
		install(t, h.cfg.Dir, files[i].(string), module)
	}
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func testWorker(t testing.TB, h *Host) *Worker {
	w := h.NewWorker()
	t.Cleanup(w.Close)
	return w
}

// testLog writes into the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// notification makes one by its type and its JSON text.
func notification(t testing.TB, eventType, text string) *event.Notification {
	t.Helper()
	n := new(event.Notification)
	if err := n.Load([]byte(text)); err != nil {
		t.Fatal(err)
	}
	n.Type, n.Publisher, n.Priority = eventType, "compute.cloud1", "info"
	n.MessageID, n.RequestID = "0e5b1c2d", "req-5b0c"
	n.Project, n.User = "8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e", "b1946ac92492d2347c6235b4d2611184"
	n.SetTime(time.Date(2026, 11, 23, 10, 0, 0, 123e6, time.UTC))
	return n
}

// gather collects what a worker emits for one notification, as text.
func gather(w *Worker, n *event.Notification) ([]string, Outcome) {
	var got []string
	o := w.Handle(context.Background(), n, func(e Emission) {
		got = append(got, fmt.Sprintf("%s: %s|%s|%s", e.Plugin, e.Channel, e.Key, e.Payload))
	})
	return got, o
}

// eventually waits for a condition, with a deadline.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
