package compile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

var errTime = errors.New("time")

// child has a process compile the module into m.CacheDir.
//
// # Errors
//
// A sentence about the module; or that no process can be started, or ctx is over.
func (c *Compiler) child(ctx context.Context, m Module) error {
	program, err := self()
	if err != nil {
		return fmt.Errorf("find this program, to compile in a process of its own: %w", err)
	}
	header, err := json.Marshal(request{m.Options, c.limits, m.Gentle, len(m.Code)})
	if err != nil {
		return fmt.Errorf("say what to compile: %w", err)
	}
	// The child dies with the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Time, errTime)
	defer cancel()
	var out, complaint head
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = []string{childName, m.File}
	// Only a program with the race detector in it reads this: it would sleep for a
	// second before it ends.
	cmd.Env = []string{"GORACE=atexit_sleep_ms=0"}
	cmd.Dir = m.CacheDir
	cmd.Stdin = io.MultiReader(bytes.NewReader(append(header, '\n')), bytes.NewReader(m.Code))
	cmd.Stdout, cmd.Stderr = &out, &complaint
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return end(cmd.Process) }
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a process to compile it in: %w; allow the router to start itself again (its executable, TasksMax=, SystemCallFilter=)", err)
	}
	failed := cmd.Wait()
	if failed == nil {
		var a answer
		if err := json.Unmarshal(out.text, &a); err != nil {
			return fmt.Errorf("read what became of compiling it: %w", err)
		}
		switch {
		case a.Disk:
			return &diskError{errors.New(a.Refused)}
		case a.Refused != "":
			return errors.New(a.Refused)
		}
		return nil
	}
	if err := context.Cause(ctx); errors.Is(err, errTime) {
		return fmt.Errorf("compiling it took longer than %s; build it smaller, or raise [plugins] compile_timeout", c.limits.Time)
	} else if err != nil {
		return err
	}
	return c.explain(cmd.ProcessState, failed, string(complaint.text))
}

// overCPU is the complaint of a child that has used up its processor time.
const overCPU = "no processor time is left"

// explain says why a child failed.
func (c *Compiler) explain(state *os.ProcessState, failed error, complaint string) error {
	switch {
	case strings.Contains(complaint, "out of memory"), strings.Contains(complaint, "cannot allocate memory"),
		strings.Contains(complaint, "failed to allocate"), strings.Contains(complaint, "pthread_create failed"): // the race detector, and C
		return fmt.Errorf("compiling it took more than %d MB; build it smaller, or raise [plugins] compile_memory", c.limits.Memory>>20)
	case strings.Contains(complaint, overCPU), state.UserTime()+state.SystemTime() >= c.limits.CPU:
		return fmt.Errorf("compiling it took more than %s of processor time; build it smaller, or raise [plugins] compile_cpu", c.limits.CPU)
	case complaint == "":
		return fmt.Errorf("the process that compiled it ended (%w), maybe as the system has no memory left; try again by changing the file, or lower [plugins] compile_memory", failed)
	}
	line, _, _ := strings.Cut(complaint, "\n")
	return fmt.Errorf("the process that compiled it ended (%w): %s; build it again with a supported toolchain", failed, line)
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

const maxSaid = 64 << 10

func (t *head) Write(p []byte) (int, error) {
	t.text = append(t.text, p[:min(len(p), maxSaid-len(t.text))]...)
	return len(p), nil
}
