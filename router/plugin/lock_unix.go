//go:build unix && !solaris && !aix

package plugin

import (
	"os"
	"syscall"
)

// lock locks a file for as long as it is open, unless somebody else has.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
