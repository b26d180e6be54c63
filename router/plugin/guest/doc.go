// Package guest runs one WebAssembly module in a sandbox.
//
// In: a module's bytes with their limits ([Compile]), and one
// event.Notification at a time ([Instance.Handle]). Out: what the guest wants
// published, or a [Fault]. Package plugin calls it, and decides when; files,
// versions and who may publish where are no concern of this package. It alone
// knows the engine and the layout of a guest's memory.
//
// A module's way: admit (check, rewrite so that it counts its work) → module
// (compile, offer host functions) → instance (start it). A call's way: scratch
// (fields in) → the guest, which calls hostcalls and wasi → result (emissions
// out). Package fuel bounds a call's work, tank.go its time, and sdk/abi is the byte
// contract.
package guest
