// Package search looks for modules that take much time for little fuel.
//
// In: a span of time. Out: what each instruction and each function of the host
// takes for a unit of fuel, the dearest modules that a random search found, and
// how long a call and a start of them last within a router's default limits.
// Caller: the siege, with -search.
//
// A module is an endless loop over pieces of code, which end by their fuel or by
// their time. The search keeps the dearest modules, and changes a piece of one at
// a time.
package search
