package compile

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"horizon-realtime/router/testwait"
)

// compileForever in the environment makes the test binary compile something that
// takes long.
const compileForever = "COMPILE_TEST_FOREVER"

func forever() (*Compiler, Module) {
	cache, err := OpenCache("none", 1<<30, nil)
	if err != nil {
		panic(err)
	}
	m := moduleOf(manyValues(60_000, 12_000))
	m.Gentle = true
	return New(cache, Limits{Memory: 8 << 30, CPU: time.Hour, Time: time.Hour, Loaded: 1 << 30}, nil), m
}

// children are the processes that compile for a process.
func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range all {
		name, _ := os.ReadFile(dir + "/cmdline")
		status, _ := os.ReadFile(dir + "/status")
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && strings.HasPrefix(string(name), childName+"\x00") && strings.Contains(string(status), "\nPPid:\t"+strconv.Itoa(parent)+"\n") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestChildIsConfined(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t.Setenv("RABBIT_SECRET", "x")
	c, m := forever()
	defer c.cache.Close()
	done := make(chan error, 1)
	go func() {
		_, err := c.Load(ctx, m)
		done <- err
	}()
	var child int
	testwait.Until(t, "a process compiles", func() bool {
		pids := children(t, os.Getpid())
		if len(pids) == 1 {
			child = pids[0]
		}
		return len(pids) == 1
	})
	read := func(name string) string {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	testwait.Until(t, "it gives way", func() bool {
		nice, err := unix.Getpriority(unix.PRIO_PROCESS, child)
		return err == nil && nice == 20-10 // as the system call has it
	})
	if got := read("environ"); strings.Contains(got, "SECRET") {
		t.Errorf("its environment is %q", got)
	}
	if got := read("oom_score_adj"); got != "1000\n" {
		t.Errorf("it goes %s when there is no memory", got)
	}
	limits := strings.Fields(read("limits"))
	for what, unlimited := range map[string]string{"data": "unlimited", "cpu": "unlimited"} {
		for i, word := range limits {
			if word == what && limits[i+2] == unlimited {
				t.Errorf("its limit of %s is %s", what, unlimited)
			}
		}
	}
	if group, err := unix.Getpgid(child); err != nil || group != child {
		t.Errorf("it is in the group %d, %v", group, err)
	}
	cancel()
	if err := testwait.Receive(t, "the end of compiling", done); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if pids := children(t, os.Getpid()); len(pids) > 0 {
		t.Errorf("left are %v", pids)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), compileForever+"=1", "TMPDIR="+t.TempDir())
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	testwait.Until(t, "it compiles", func() bool {
		pids := children(t, parent.Process.Pid)
		if len(pids) == 1 {
			child = pids[0]
		}
		return len(pids) == 1
	})
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	testwait.Until(t, "the child is gone", func() bool {
		name, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/cmdline")
		return err != nil || len(name) == 0 // nobody may wait for it here
	})
}
