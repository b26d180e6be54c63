package main

import (
	"io/fs"
	"log/slog"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// gcPercent is GOGC's default for `run`: the collector starts when the heap has
// tripled, not doubled. What a router keeps is little and what passes through it is
// much.
const gcPercent = 200

// tuneProcess sets what concerns the process as a whole, and no package should:
// when Go collects garbage, how much memory it takes, and its scheduling priority.
// What the environment sets (GOGC, GOMEMLIMIT) stays as it is.
func tuneProcess(log *slog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if limit, ok := memoryLimit(os.DirFS("/")); ok && os.Getenv("GOMEMLIMIT") == "" {
		// The rest is for plugins' memory and machine code, which Go does not count.
		debug.SetMemoryLimit(limit / 4 * 3)
	}
	if err := lowerPriority(); err != nil {
		log.Warn("cannot lower the scheduling priority; RabbitMQ on this host may be slowed", "error", err)
	}
}

// memoryLimit is what the control group (version 2) that the process is in may
// take, in bytes, and false if there is no limit. Go follows such a limit on its
// own for processors only.
func memoryLimit(root fs.FS) (int64, bool) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	_, group, _ := strings.Cut("\n"+string(groups), "\n0::")
	group, _, _ = strings.Cut(group, "\n")
	text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", group, "memory.max"))
	if err != nil {
		return 0, false
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return limit, err == nil // the file says "max" if there is none
}
