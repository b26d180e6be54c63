// Package fuel bounds the work of a WebAssembly module by rewriting it.
//
// In: the bytes of a module that somebody dropped into the plugins folder, and
// limits. Out: either a sentence that says what is wrong with the module, or an
// equal module that counts what it does in a private global and stops with
// `unreachable` once the count falls below zero, and a description of what the
// module imports, exports and holds. Caller: plugin, once per module and load,
// before anything is handed to the engine.
//
// The rewritten module exports the counter under [Global]. The host sets it
// before each call and, after a trap, reads it: below zero means that the fuel
// was the reason. The counter starts at zero, so a module that nobody gave fuel
// does nothing. [Cut], called from another goroutine, takes the fuel of a call that
// takes too long. The original's start function, if it has one, no longer runs by
// itself: it is exported under [Start], to be called with fuel like any other.
//
// docs/rationale.md says why fuel and not time, and why charges are placed as
// they are (charge.go).
package fuel
