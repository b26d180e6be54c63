// Package guesttest makes guests, and what they are called with, for tests. The
// tests of guest and of plugin call it.
package guesttest

import (
	"bytes"
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

	"horizon-realtime/router/event"
	"horizon-realtime/sdk/abi"
)

// At is the time of the notifications that Notification makes.
var At = time.Date(2026, 11, 23, 10, 0, 0, 123e6, time.UTC)

// made are the modules made so far in this process: by text or folder, a
// func() ([]byte, error).
var made sync.Map

func once(t testing.TB, key, what string, build func(dir string) (*exec.Cmd, error)) []byte {
	t.Helper()
	f, _ := made.LoadOrStore(key, sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "guest")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		command, err := build(dir)
		if err != nil {
			return nil, err
		}
		if said, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, said)
		}
		return os.ReadFile(filepath.Join(dir, "guest.wasm"))
	}))
	module, err := f.(func() ([]byte, error))()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return bytes.Clone(module)
}

// Assemble makes a module of text with wabt's wat2wasm, once per process.
func Assemble(t testing.TB, text string) []byte {
	t.Helper()
	return once(t, text, "assemble a guest with wat2wasm (Debian package wabt)", func(dir string) (*exec.Cmd, error) {
		in := filepath.Join(dir, "guest.wat")
		err := os.WriteFile(in, []byte(text), 0o600)
		return exec.Command("wat2wasm", "--enable-multi-memory", in, "-o", filepath.Join(dir, "guest.wasm")), err
	})
}

// BuildGo makes a module of the Go program in ./testdata/name, once per process.
func BuildGo(t testing.TB, name string) []byte {
	t.Helper()
	return once(t, "./testdata/"+name, "build the guest "+name, func(dir string) (*exec.Cmd, error) {
		command := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", filepath.Join(dir, "guest.wasm"), "./testdata/"+name)
		command.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		return command, nil
	})
}

// Emit is one EMIT record of a result block.
func Emit(channel, key, payload string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, abi.TagEmit)
	b = binary.LittleEndian.AppendUint32(b, uint32(abi.EmitHeader+len(channel)+len(key)+len(payload)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(channel)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(key)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(b, channel+key+payload...)
}

// Stop is a STOP record.
func Stop() []byte { return binary.LittleEndian.AppendUint64(nil, abi.TagStop) }

// Data spells bytes as the text format's strings do.
func Data(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\%02x`, c)
	}
	return s.String()
}

// Answering is the text of a guest that subscribes as declared and answers every
// notification with the block. The extra text goes into the module.
func Answering(declaration string, block []byte, extra string) string {
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
  %s)`, Data([]byte(declaration)), Data(block), len(declaration), 4096<<32|4096, 8192<<32|len(block), extra)
}

// Silent subscribes as declared and never emits.
func Silent(declaration string) string { return Answering(declaration, nil, "") }

// Saying emits the payload to public/a at every compute event.
func Saying(payload string) string {
	return Answering("on compute.*\n", Emit("public/a", "", payload), "")
}

// Doing asks for everything of compute and runs the instructions for each, which
// leave an i64. The functions kv_get, kv_set, log and now are imported, and there
// are a global $n, an i32, and a global $x, an i64.
func Doing(instructions string) string {
	return fmt.Sprintf(`(module
  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
  (import "hr" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i64)))
  (import "hr" "kv_set" (func $kv_set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "hr" "now" (func $now (result i64)))
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 0))
  (global $x (mut i64) (i64.const 5))
  (data (i32.const 0) "on compute.*\0a")
  (func (export "hr_abi_1"))
  (func (export "hr_init") (result i64)
    (call $subscribe (i32.const 0) (i32.const 13))
    (i64.const 0x100000001000))
  (func (export "hr_event") (result i64) (local $i i32) %s))`, instructions)
}

// Busy works for about ten million units of fuel and several milliseconds, for
// every event: each of its divisions waits for the one before.
func Busy() string {
	return Doing(`(loop $again
      (global.set $x (i64.div_u (i64.const -1) (i64.or (global.get $x) (i64.const 3))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000))))
    (i64.const 0)`)
}

// Project owns the notifications that Notification makes.
const Project = "8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e"

// Notification makes one by its type and its JSON text.
func Notification(t testing.TB, eventType, text string) *event.Notification {
	t.Helper()
	n := new(event.Notification)
	if err := n.Load([]byte(text)); err != nil {
		t.Fatal(err)
	}
	n.Type, n.Publisher, n.Priority = eventType, "compute.cloud1", "info"
	n.MessageID, n.RequestID = "0e5b1c2d", "req-5b0c"
	n.Project, n.User = Project, "b1946ac92492d2347c6235b4d2611184"
	n.SetTime(At)
	return n
}

// Log keeps what is logged. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Logger writes messages and attributes without a time.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}
