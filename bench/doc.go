// Command bench measures the router beside its peers, both in the same run on
// the same machine, and writes a table and results.json. Only the ratios mean
// anything elsewhere.
//
// The module is its own so that the peers stay out of the product's go.mod.
// Every server under test is a process of its own (this program started again as
// `bench child NAME`), so that the kernel's accounting of that process is what it
// cost, and not what its clients did.
package main
