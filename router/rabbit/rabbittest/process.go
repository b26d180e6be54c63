package rabbittest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is a child with its own process group, which ends with it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the child was waited for
}

// start runs a program with its output in a file named after it in dir/log.
func start(env []string, dir, program string, args ...string) (*process, error) {
	out, err := os.OpenFile(filepath.Join(dir, "log", filepath.Base(program)+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, out, out
	cmd.SysProcAttr = childAttributes()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started) // ends with the child
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the child and waits for it, on a thread that does not end before:
// Linux takes the end of the thread for the parent's death.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait()
	}
}

// stop sends the signal to the process group, and kills what is left of it at
// the end of the time.
func (p *process) stop(s syscall.Signal, within time.Duration) error {
	group := -p.cmd.Process.Pid
	if err := syscall.Kill(group, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the process group: %w", err)
	}
	var late error
	select {
	case <-p.done:
	case <-time.After(within):
		late = fmt.Errorf("still running after %s, killed", within)
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-p.done
	return late
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// poll waits until ready returns nil, or p has ended, or the time is up.
func poll(within time.Duration, p *process, ready func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := ready()
		switch {
		case err == nil:
			return nil
		case p.ended():
			return fmt.Errorf("it ended: %s", p.cmd.ProcessState)
		case time.Now().After(deadline):
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
