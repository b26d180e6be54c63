//go:build !unix

package plugin

import "io/fs"

// fileID is not available here; size and time must do.
func fileID(fs.FileInfo) string { return "" }
