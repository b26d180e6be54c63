//go:build !unix

package plugin

import "io/fs"

// fileID is not to be had here; size and time must do.
func fileID(fs.FileInfo) string { return "" }
