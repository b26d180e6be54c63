package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a server under test in a process of its own. It prints the address
// it serves, then answers each command line with a line.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	addr string
}

// startChild starts this program again as `child name args...`.
func startChild(name string, args ...string) (*child, error) {
	cmd := exec.Command("/proc/self/exe", append([]string{"child", name}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	if !c.out.Scan() {
		c.stop()
		return nil, fmt.Errorf("%s did not say where it listens", name)
	}
	c.addr = c.out.Text()
	return c, nil
}

// ask sends a command and waits for its answer.
func (c *child) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(c.in, format+"\n", args...); err != nil {
		return "", err
	}
	if !c.out.Scan() {
		return "", fmt.Errorf("%s ended early", strings.Join(c.cmd.Args[2:], " "))
	}
	return c.out.Text(), nil
}

// cpu is the processor time, user and system, that the process has used.
func (c *child) cpu() time.Duration { return processCPU(c.cmd.Process.Pid) }

// rss is the process's resident memory in bytes.
func (c *child) rss() int64 { return processRSS(c.cmd.Process.Pid) }

func (c *child) stop() {
	c.in.Close()
	done := time.AfterFunc(5*time.Second, func() { c.cmd.Process.Kill() })
	defer done.Stop()
	c.cmd.Wait()
}

// processCPU is a process's user and system time, by the clock that Linux keeps
// for each (clock_getcpuclockid(3)): exact, where /proc counts in ticks of 10 ms.
func processCPU(pid int) time.Duration {
	const cpuClock = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClock), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

func processRSS(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// serveChild is the child's side: it says where it listens, then hands each
// command line to do until its standard input ends.
func serveChild(addr string, do func(args []string) any) error {
	fmt.Println(addr)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		answer, err := json.Marshal(do(strings.Fields(in.Text())))
		if err != nil {
			return err
		}
		fmt.Println(string(answer))
	}
	return in.Err()
}
