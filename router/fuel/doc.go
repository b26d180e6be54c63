// Package fuel bounds the work of a WebAssembly module by rewriting it.
//
// In: the bytes of a module that somebody dropped into the plugins folder, and
// limits. Out: either a sentence that says what is wrong with the module, or an
// equal module that counts what it does in a private global and calls the host
// once the count falls below zero, and a description of what the module imports,
// exports and holds. Caller: guest, once per module and load, before anything is
// handed to the engine.
//
// The rewritten module exports the counter under [Global], and imports [Refill].
// The host hands fuel out in slices ([Tank]): it sets the counter before each
// call, and the module asks for more whenever a slice is used up. That is a
// safepoint: Go's collector gets its turn, the host looks at the clock, and it can
// end the call. The counter starts at zero, so a module that nobody gave fuel does
// nothing. The original's start function, if it has one, no longer runs by itself:
// it is exported under [Start], to be called with fuel like any other.
//
// docs/rationale.md says why fuel and not time, and why charges are placed as
// they are (charge.go, flow.go, landing.go).
package fuel
