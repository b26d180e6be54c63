// Package sdk is for writing plugins: WebAssembly modules that the router calls
// with each notification they subscribed to, and that answer with what browsers
// should be told.
//
// A plugin is a main package that calls Register once, in an init function. A module
// has no main loop, so it cannot start anywhere else:
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
// A module is one plugin, called by one goroutine, so the package keeps its state
// in variables and nothing in it is safe for concurrent use. Handling
// an event allocates nothing: Go's garbage collector never runs in a plugin
// whose own code allocates nothing either. In return, the router overwrites
// everything an event hands out (every string, every Value) once Handle returns:
// copy what you keep (strings.Clone).
//
// The package imports neither fmt nor reflect nor encoding/json, which would
// double a module's size; your plugin may import them and pays for it.
package sdk
