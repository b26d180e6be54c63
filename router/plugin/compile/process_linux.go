package compile

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// self is this program, also if its file has been replaced or removed.
func self() (string, error) {
	const running = "/proc/self/exe"
	if _, err := os.Stat(running); err == nil {
		return running, nil
	}
	return os.Executable()
}

// attributes make the child the first of a process group, which ends with the router.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// end kills the child and whatever it may have started.
func end(child *os.Process) error { return syscall.Kill(-child.Pid, syscall.SIGKILL) }

// confine gives the process its limits. They hold from now on, and nothing can
// raise them.
func confine(l Limits) error {
	has, err := writable()
	if err != nil {
		return fmt.Errorf("limit what compiling may take: %w", err)
	}
	for _, each := range []struct {
		what        int
		limit, last uint64
	}{
		{unix.RLIMIT_DATA, has + uint64(l.Memory), has + uint64(l.Memory)},
		// At the limit, the kernel says so; at the last, it ends the process.
		{unix.RLIMIT_CPU, uint64(l.CPU / time.Second), uint64(l.CPU/time.Second) + 2},
		{unix.RLIMIT_CORE, 0, 0},
	} {
		if err := unix.Setrlimit(each.what, &unix.Rlimit{Cur: each.limit, Max: each.last}); err != nil {
			return fmt.Errorf("limit what compiling may take: %w", err)
		}
	}
	used := make(chan os.Signal, 1)
	signal.Notify(used, unix.SIGXCPU)
	go func() {
		<-used
		fmt.Fprintln(os.Stderr, overCPU)
		os.Exit(1)
	}()
	// If the machine has no memory left, this process goes first. Where that cannot
	// be asked for, the limits must do.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	return nil
}

// giveWay leaves the processors to others who want them.
func giveWay() {
	const nice = 10
	_ = unix.Setpriority(unix.PRIO_PGRP, 0, nice) // all threads: the process is alone in its group
}

// writable is how many bytes of memory the process has that RLIMIT_DATA counts:
// Go's own, and what the race detector reserves.
func writable() (uint64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(text, []byte("\nVmData:"))
	field, _, _ := bytes.Cut(rest, []byte(" kB"))
	n, err := strconv.ParseUint(string(bytes.TrimSpace(field)), 10, 54)
	return n << 10, err
}
