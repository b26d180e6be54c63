package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"horizon-realtime/router/rabbit/rabbittest"
)

// restingMB is how much the program may take at rest, with all stock plugins and one
// worker, in MB.
const restingMB = 100

// resident measures the program's memory at rest, with all stock plugins and one
// worker: after it has started from the cache, simulated a cloud for some seconds
// and collected its garbage. Snapshots count in full, though they are partly mapped.
func resident() ([]result, error) {
	dir, err := os.MkdirTemp("", "bench-resident")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "router.toml")
	config := fmt.Sprintf("[plugins]\ndir = %q\ncache_dir = %q\nworkers = 1\n[server]\nlisten = \"127.0.0.1:%d\"\n[admin]\nlisten = \"127.0.0.1:%d\"\n",
		dir, filepath.Join(dir, "cache"), ports[0], ports[1])
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	var took float64
	for range 2 { // the first time fills the cache
		if took, err = residentOnce(file, fmt.Sprintf("http://127.0.0.1:%d", ports[1])); err != nil {
			return nil, err
		}
	}
	return []result{row(fmt.Sprintf("memory at rest of %d stock plugins, one worker (goal %d MB)", stockCount, restingMB), "MB", took, restingMB, "the goal")}, nil
}

func residentOnce(config, admin string) (float64, error) {
	var log bytes.Buffer
	cmd := exec.Command(binaryPath, "demo", "--config-file", config)
	cmd.Stderr, cmd.SysProcAttr = &log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", binaryPath, err)
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	r := &routerProcess{cmd: cmd, admin: strings.TrimPrefix(admin, "http://"), ended: make(chan struct{})}
	if err := r.await(); err != nil {
		return 0, fmt.Errorf("%w; its log:\n%s", err, log.String())
	}
	time.Sleep(time.Duration(size(3, 1)) * time.Second)
	if _, err := get(admin + "/debug/pprof/heap?gc=1"); err != nil {
		return 0, err
	}
	return residentMB(cmd.Process.Pid)
}

// residentMB is what a process has in memory, and in files without a name.
func residentMB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	kB := int64(0)
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "Rss:"); ok {
			if _, err := fmt.Sscan(rest, &kB); err != nil {
				return 0, err
			}
		}
	}
	bytes := kB << 10
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if name, _ := os.Readlink(file); !strings.HasPrefix(name, "/memfd:") {
			continue
		}
		var info syscall.Stat_t
		if err := syscall.Stat(file, &info); err == nil {
			bytes += info.Blocks * 512
		}
	}
	return float64(bytes) / 1e6, nil
}
