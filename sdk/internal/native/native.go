// Package native joins the sdk to a router that is plain Go, so that a plugin's
// own code runs under `go test`. The sdk hands in its entry points and calls
// Router; sdktest is the router and calls the entry points.
package native

// Host is what a plugin can call; each method is the import of that name as
// package abi describes it, with Go's types.
type Host interface {
	Subscribe(text string)
	Config(buffer []byte) int
	Log(level uint32, line string)
	Field(path string, buffer []byte) uint32
	Raw(buffer []byte) int
	KVGet(key string, buffer []byte) uint64
	KVSet(key, value string, ttl, version uint32) bool
	KVDelete(key string) bool
	Now() int64
}

var (
	// Router is who answers the plugin's calls. Nil outside of a test.
	Router Host
	// Start is hr_init: it gives the scratch buffer, nil where the plugin
	// refuses to start. Handle is hr_event: it gives the result block.
	Start, Handle func() []byte
)
