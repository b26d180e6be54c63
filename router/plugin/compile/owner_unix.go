//go:build unix

package compile

import (
	"io/fs"
	"os"
	"syscall"
)

// own reports whether a file is this process's user's.
func own(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
