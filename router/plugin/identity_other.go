//go:build !unix

package plugin

import "io/fs"

// fileIdentity is not to be had here; size and time must do.
func fileIdentity(fs.FileInfo) string { return "" }
