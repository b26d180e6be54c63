// Command bench measures the router beside its peers, both in the same run on
// the same machine, and writes a table and results.json. Only the ratios mean
// anything elsewhere; README.md says how to read them.
//
// It is a module of its own to keep the peers out of the product's go.mod. Every
// server under test is a process of its own (this program started again as `bench
// child NAME`, or the real binary), so that the kernel accounts for it without its
// clients. Contenders take turns, so that a change of the machine's speed affects
// all of them, and the median of the rounds counts.
//
//	sandbox*.go  a plugin's call: beside Extism, a watched wazero, native Go
//	stock.go     the stock plugins over a recording: beside encoding/json
//	resident.go  the real binary at rest: its memory
//	rabbit*.go   the real binary behind a real RabbitMQ: throughput, latency
//	fan*.go      the hub and the server before thousands of clients
package main
