// Package sdk is what a filter is written with: a WebAssembly module that the
// router calls with each notification it asked for, and that answers with what
// browsers shall be told.
//
// A filter is a main package with one Register in an init function, because a
// module without a main loop starts nowhere else:
//
//	package main
//
//	import "horizon-realtime/sdk"
//
//	var (
//		id   = sdk.Want("/payload/volume_id")
//		size = sdk.Want("/payload/size")
//	)
//
//	func init() {
//		sdk.Register(sdk.Filter{On: []string{"volume.resize.end"}, Handle: resized})
//	}
//
//	func resized(e *sdk.Event) {
//		m := e.Object()
//		m.String("volume", e.Get(id).Text())
//		m.Value("gigabytes", e.Get(size))
//		e.Emit(sdk.Project(e.Project(), "sizes"), e.Get(id).Text(), m)
//	}
//
//	func main() {}
//
// It is built with the standard toolchain:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o 50-sizes.wasm .
//
// The same code runs natively under `go test`: see package sdktest.
//
// A module is one filter and is called by one goroutine, so the package keeps
// its state in variables, and nothing in it is safe for concurrent use. Handling
// an event allocates nothing: Go's garbage collector never runs in a filter
// whose own code allocates nothing either. The price is that what an event
// hands out (every string, every Value) is the router's to overwrite once
// Handle returns: copy what you keep (strings.Clone).
//
// The package imports neither fmt nor reflect nor encoding/json, which would
// double a module's size; a filter may, and pays for it.
package sdk
