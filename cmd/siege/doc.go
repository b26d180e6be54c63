// Command siege drops misbehaving filters, one after the other, into the folder
// of a running router, and measures what everybody else notices of it.
//
//	go run ./cmd/siege                     each of them, a few minutes
//	go run ./cmd/siege -only endless-loop  some of them, comma-separated
//	go run ./cmd/siege -reloads 1000       and a new version of a filter again and again
//	go run ./cmd/siege -reloads 1000 -write  the tables into docs/sandbox.md
//
// In: the folders of testplugins, the stock filter plugins/instances, and
// nova's notifications as a real cloud sent them. Out: a row for each filter:
// what its operator sees, what the listeners of the stock filter were sent, and
// what it cost them. The router is the whole one, with its hub and server, in
// this process; the listeners are websocket connections to it.
//
// The exit status is 1 where a delivery was lost or doubled, somebody heard
// what is not theirs, a goroutine was left over, or a filter's fate is not that
// of its expect.txt. Times and memory are told, not judged: they are the
// machine's as much as the router's.
package main
