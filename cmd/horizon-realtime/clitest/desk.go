// Package clitest starts the program as people do, from a shell, without
// building it: the test's own binary is the program.
//
// In: command lines. Out: what they print and their exit codes. Callers: the
// tests of the command line.
package clitest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"horizon-realtime/cmd/horizon-realtime/cli"
)

// asProgram in the environment makes the test's binary be the program.
const asProgram = "HORIZON_REALTIME_TEST_AS_PROGRAM"

// Main is a package's TestMain: it runs the tests, or, in a process that a Desk
// started, the program.
func Main(m *testing.M, program func()) {
	if os.Getenv(asProgram) != "" {
		program()
		return
	}
	var err error
	if cache, err = os.MkdirTemp("", "horizon-realtime-test-cache-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(cache)
	os.Exit(code)
}

// cache keeps compiled modules while the tests run.
var cache string

// Desk is an author's folder, with the program in PATH and no network.
type Desk struct {
	t *testing.T
	// Dir is the folder. What methods call dir is a folder below it.
	Dir string
	// Env is the environment of every command.
	Env []string
}

// NewDesk makes an empty one.
func NewDesk(t *testing.T) *Desk {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asProgram, self)
	if err := os.WriteFile(filepath.Join(bin, "horizon-realtime"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Desk{t: t, Dir: t.TempDir(), Env: append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GOFLAGS=-mod=mod", "GOPROXY=off", "GOCACHE="+strings.TrimSpace(string(goCache)), "XDG_CACHE_HOME="+cache)}
}

// For is the same desk in a subtest.
func (d *Desk) For(t *testing.T) *Desk { return &Desk{t, d.Dir, d.Env} }

// Shell runs a command line, in the folder dir below the desk, and returns what
// it printed and its exit code.
func (d *Desk) Shell(dir, line string) (output string, code int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = filepath.Join(d.Dir, dir), d.Env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("run %q: %v", line, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// Background starts the program in the folder dir below the desk, waits for what
// it prints first, and stops it when the test ends.
func (d *Desk) Background(dir, line, first string) {
	d.t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env = filepath.Join(d.Dir, dir), d.Env
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		// Its standard output has been read as far as it matters.
		if err := cmd.Wait(); err != nil || d.t.Failed() {
			d.t.Errorf("%s ended with %v\n%s", line, err, log.String())
		}
	})
	if said, err := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(said, first) {
		d.t.Fatalf("%s said %q, %v; want %q", line, said, err, first)
	}
}

// Must is Shell for what has to go well.
func (d *Desk) Must(dir, line string) string {
	d.t.Helper()
	out, code := d.Shell(dir, line)
	if code != cli.OK {
		d.t.Fatalf("%s: exit code %d\n%s", line, code, out)
	}
	return out
}

// Fails checks a command that has to go wrong, and what it says.
func (d *Desk) Fails(dir, line string, code int, wants ...string) {
	d.t.Helper()
	out, got := d.Shell(dir, line)
	if got != code {
		d.t.Errorf("%s: exit code %d, want %d", line, got, code)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			d.t.Errorf("%s: want %q in:\n%s", line, want, out)
		}
	}
}

// Write writes a file below the desk.
func (d *Desk) Write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.Dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Read reads a file below the desk.
func (d *Desk) Read(name string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.Dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// Replace replaces a text of a file once; the file has it.
func (d *Desk) Replace(name, before, after string) {
	d.t.Helper()
	text := d.Read(name)
	if !strings.Contains(text, before) {
		d.t.Fatalf("%s has no %q", name, before)
	}
	d.Write(name, strings.Replace(text, before, after, 1))
}
