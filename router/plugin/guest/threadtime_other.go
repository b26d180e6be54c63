//go:build !linux

package guest

// ThreadNow would return that of the current thread.
func ThreadNow() (t ThreadTime) { return t }
