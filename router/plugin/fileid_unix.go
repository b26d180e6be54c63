//go:build unix

package plugin

import (
	"io/fs"
	"strconv"
	"syscall"
)

// fileID changes when another file takes a file's place, even one with the same
// size and time.
func fileID(info fs.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(uint64(s.Ino), 10)
	}
	return ""
}
