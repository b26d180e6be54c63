// Command siege puts misbehaving plugins, one after the other, into the folder of a
// running router, and measures what everybody else notices.
//
//	go run ./cmd/siege                     each of them, a few minutes
//	go run ./cmd/siege -only endless-loop  some of them, comma-separated
//	go run ./cmd/siege -reloads 1000       and new versions of a plugin, one after the other
//	go run ./cmd/siege -reloads 1000 -write  the tables into docs/sandbox.md
//	go run ./cmd/siege -strangers          attacks by people instead, a table of their own
//	go run ./cmd/siege -search 10m         look for modules that take much time for little fuel
//
// In: the folders of testplugins, the stock plugin plugins/instances, and nova's
// notifications as a real cloud sent them. Out: a row per plugin: what its operator
// sees, what the stock plugin's listeners received, and what it cost them. The whole
// router, with its hub and server, runs in this process, and gets its notifications
// through a RabbitMQ of the siege's own (or, with -rabbit=false, without one); the
// listeners are websocket connections to it. Go's collector is made to run every 50 ms.
//
// With -strangers, tenants, users and people without an account attack a router with
// all stock plugins, while honest users log in with tickets, subscribe and listen.
// Keystone is simulated, and takes 40 ms for an answer.
//
// The exit status is 1 if a delivery was lost or doubled, somebody heard what is not
// theirs, a goroutine was left over, a plugin's fate is not that of its expect.txt, an
// honest user was refused, or Keystone was asked more often than it may be.
// Times and memory are reported, not judged: they depend on the machine as much as on
// the router.
package main
