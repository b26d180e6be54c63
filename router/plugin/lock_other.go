//go:build !unix || solaris || aix

package plugin

import "os"

// lock is not available here; a mark that another process has counts as left behind.
func lock(*os.File) bool { return true }
