// Package plugin runs the filters: WebAssembly modules from a folder that
// decide which notifications anybody hears of, and in which shape.
//
// In: files named `50-nova.wasm`, their [plugin.nova] tables, and one
// event.Notification at a time from a worker of the router. Out: emissions
// (channel, key, payload) that point into the filter's memory. The router calls
// New, Load and Run once, and owns one Worker per goroutine. The byte contract
// with a filter is sdk/abi; how a filter's running time is bounded is
// router/fuel; overtime.go and slow.go are the clock beside it.
//
// A file's way: watch (which files are there) → load (read, verify, admit,
// instrument, compile, first instance, self-tests) → host (a new set, swapped in
// at once).
// A notification's way: match (who asked for its type) → instance (scratch in,
// one call, result out) → the caller's emit.
package plugin
