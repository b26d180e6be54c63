//go:build unix

package plugin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// deadly logs "die" as it starts.
const deadly = `(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "on compute.*\0adie")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (call $log (i32.const 2) (i32.const 13) (i32.const 3))
    (i64.const 0x100000001000))
  (func (export "hr_event") (result i64) (i64.const 0)))`

// A test binary that is started with this in its environment loads the folder that it
// names, and dies when a plugin says so.
const mortalFolder = "PLUGIN_TEST_MORTAL"

// dying kills its process at a line.
type dying struct{}

func (d dying) Enabled(context.Context, slog.Level) bool { return true }

func (d dying) WithAttrs([]slog.Attr) slog.Handler { return d }

func (d dying) WithGroup(string) slog.Handler { return d }

func (d dying) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "die" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return nil
}

// mortal is what the test binary does then.
func mortal(dir string) {
	c := DefaultConfig()
	c.Dir, c.CacheDir = dir, filepath.Join(dir, "cache")
	h, err := New(c, nil, slog.New(dying{}), prometheus.NewRegistry())
	if err == nil {
		err = h.Load(context.Background())
	}
	if err != nil {
		panic(err)
	}
	var all []string
	for _, s := range h.Status() {
		all = append(all, s.File+" "+string(s.State))
	}
	h.Close()
	os.Stdout.WriteString(strings.Join(all, ", "))
}

// live starts a process that loads the folder, and returns what it says of the plugins.
func live(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), mortalFolder+"="+dir)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return "died"
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, exit.Stderr)
	}
	return string(bytes.TrimSpace(out))
}

func TestFilesThatKillTheProcessAreLeftOut(t *testing.T) {
	c := testConfig(t)
	c.CacheDir = filepath.Join(c.Dir, "cache")
	for i, name := range []string{"10-a.wasm", "20-deadly.wasm", "30-b.wasm"} {
		text := guesttest.Saying(name)
		if i == 1 {
			text = deadly
		}
		install(t, c.Dir, name, guesttest.Assemble(t, text))
	}
	// Which of those that are loaded side by side it was shows the second time.
	const without = "10-a.wasm running, 20-deadly.wasm refused, 30-b.wasm running"
	for i, want := range []string{"died", "died", without, without} {
		if got := live(t, c.Dir); got != want {
			t.Fatalf("start %d: %s, want %s", i+1, got, want)
		}
	}
	h := testHost(t, c, nil)
	marks, err := filepath.Glob(filepath.Join(c.CacheDir, "loading", "*"))
	if err != nil || len(marks) != 1 {
		t.Fatal(marks, err)
	}
	want := "plugin 20-deadly.wasm: the router has died 2 times while it loaded this file, so it is not tried again by itself; replace it, or release it: " +
		"POST /api/plugins/<name>/release, or remove " + marks[0]
	if s := h.Status()[1]; s.State != Refused || s.Refused != want {
		t.Errorf("got %+v", s)
	}
	// Released, it runs in a process that does not die of it.
	reload(t, h)
	if s := h.Status()[1]; s.State != Refused {
		t.Errorf("got %+v", s)
	}
	if err := h.Release("deadly"); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if s := h.Status()[1]; s.State != Running {
		t.Errorf("got %+v", s)
	}
	if got := live(t, c.Dir); got != "died" {
		t.Errorf("got %s", got)
	}
	// One death is forgotten once all could be loaded.
	testHost(t, c, nil)
	if left, err := filepath.Glob(filepath.Join(c.CacheDir, "loading", "*")); err != nil || left != nil {
		t.Errorf("left are %v, %v", left, err)
	}
	// Another file of that name is another one.
	for _, want := range []string{"died", "died", without} {
		if got := live(t, c.Dir); got != want {
			t.Errorf("got %s", got)
		}
	}
	install(t, c.Dir, "20-deadly.wasm", guesttest.Assemble(t, guesttest.Saying("2")))
	if got, want := live(t, c.Dir), "10-a.wasm running, 20-deadly.wasm running, 30-b.wasm running"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestInterruptedLoadsCondemnNobody(t *testing.T) {
	c := testConfig(t)
	c.CacheDir = filepath.Join(c.Dir, "cache")
	h := testHost(t, c, nil)
	install(t, c.Dir, "10-a.wasm", guesttest.Assemble(t, guesttest.Saying("1")))
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for range 2 * maxDeaths {
		if err := h.Load(over); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(c.CacheDir, "loading", "*")); err != nil || left != nil {
		t.Errorf("left are %v, %v", left, err)
	}
	reload(t, h)
	if s := h.Status()[0]; s.State != Running {
		t.Errorf("got %+v", s)
	}
}

// What another process that lives is loading has killed nobody.
func TestMarksOfTheLivingDoNotCount(t *testing.T) {
	dir, digest := t.TempDir(), [32]byte{1}
	log := slog.New(slog.DiscardHandler)
	other := newAttempts(dir, log)
	end, err := other.begin(digest, "10-a.wasm")
	if err != nil {
		t.Fatal(err)
	}
	ours := newAttempts(dir, log)
	if ours.suspicious() {
		t.Error("it is suspicious")
	}
	for range 2 * maxDeaths {
		end, err := ours.begin(digest, "10-a.wasm")
		if err != nil {
			t.Fatal(err)
		}
		end()
	}
	ours.settle()
	end()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
