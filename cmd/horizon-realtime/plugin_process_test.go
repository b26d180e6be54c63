package main

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

	"horizon-realtime/cmd/horizon-realtime/workshop"
)

// asProgram in the environment makes the test's binary be the program, so that
// tests start the real thing without building it once more.
const asProgram = "HORIZON_REALTIME_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// desk is an author's folder, with the program in PATH and no network.
type desk struct {
	t   *testing.T
	dir string
	env []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asProgram, self)
	if err := os.WriteFile(filepath.Join(bin, "horizon-realtime"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, dir: t.TempDir(), env: append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GOFLAGS=-mod=mod", "GOPROXY=off", "GOCACHE="+strings.TrimSpace(string(cache)), "XDG_CACHE_HOME="+t.TempDir())}
}

// shell runs a command line, in the folder dir below the desk, and returns what
// it printed and its exit code.
func (d *desk) shell(dir, line string) (output string, code int) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = filepath.Join(d.dir, dir), d.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatalf("run %q: %v", line, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// background starts the program in the folder dir below the desk, waits for what
// it prints first, and stops it when the test ends.
func (d *desk) background(dir, line, first string) {
	d.t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env = filepath.Join(d.dir, dir), d.env
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

// must is shell for what has to go well.
func (d *desk) must(dir, line string) string {
	d.t.Helper()
	out, code := d.shell(dir, line)
	if code != exitOK {
		d.t.Fatalf("%s: exit code %d\n%s", line, code, out)
	}
	return out
}

// fails checks a command that has to go wrong, and what it says.
func (d *desk) fails(dir, line string, code int, wants ...string) {
	d.t.Helper()
	out, got := d.shell(dir, line)
	if got != code {
		d.t.Errorf("%s: exit code %d, want %d", line, got, code)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			d.t.Errorf("%s: want %q in:\n%s", line, want, out)
		}
	}
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// filter makes the folder of a new filter, and changes the skeleton's main.go by
// replacing the first text by the second.
func (d *desk) filter(name, before, after string) {
	d.t.Helper()
	if _, err := workshop.Create(filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
	text := d.read(name + "/main.go")
	if !strings.Contains(text, before) {
		d.t.Fatalf("the skeleton's main.go has no %q", before)
	}
	d.write(name+"/main.go", strings.Replace(text, before, after, 1))
}
