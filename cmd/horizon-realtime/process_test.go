package main

import (
	"log/slog"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestGCPercentOfTheEnvironmentStays(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, c := range []struct {
		env  string
		want int
	}{{"100", 100}, {"", gcPercent}} {
		t.Setenv("GOGC", c.env)
		t.Setenv("GOMEMLIMIT", "off")
		tuneProcess(slog.New(slog.DiscardHandler))
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("GOGC=%s: %d, not %d", c.env, got, c.want)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	const both = "4:memory:/v1\n0::/system.slice/horizon-realtime.service\n"
	for name, c := range map[string]struct {
		cgroup, file, text string
		want               int64
	}{
		"a service's":       {both, "sys/fs/cgroup/system.slice/horizon-realtime.service/memory.max", "536870912\n", 512 << 20},
		"a container's":     {"0::/\n", "sys/fs/cgroup/memory.max", "1073741824\n", 1 << 30},
		"no limit":          {"0::/\n", "sys/fs/cgroup/memory.max", "max\n", 0},
		"version 1 alone":   {"4:memory:/v1\n", "sys/fs/cgroup/memory/v1/memory.limit_in_bytes", "536870912\n", 0},
		"no control groups": {"", "proc/version", "", 0},
	} {
		root := fstest.MapFS{"proc/self/cgroup": {Data: []byte(c.cgroup)}, c.file: {Data: []byte(c.text)}}
		if limit, ok := memoryLimit(root); limit != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %d, %t", name, limit, ok)
		}
	}
	if _, ok := memoryLimit(fstest.MapFS{}); ok {
		t.Error("a limit without /proc")
	}
}
