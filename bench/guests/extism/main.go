//go:build wasip1

// Command extism is drop and route for Extism's kernel. The input is the state, or
// project, id, name and state, a line each: it has nothing to parse, which is more than a
// plugin that is handed the message could say. Bytes cross by eight at a time,
// as they do in Extism's own Go PDK.
package main

import (
	"bytes"
	"encoding/binary"
)

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u64
func inputLoad64(at uint64) uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoad8(at uint64) uint32

//go:wasmimport extism:host/env alloc
func alloc(n uint64) uint64

//go:wasmimport extism:host/env store_u64
func store64(at, v uint64)

//go:wasmimport extism:host/env store_u8
func store8(at uint64, v uint32)

//go:wasmimport extism:host/env output_set
func outputSet(at, n uint64)

var in, out []byte

func input() [][]byte {
	n := inputLength()
	in = in[:0]
	at := uint64(0)
	for ; at+8 <= n; at += 8 {
		in = binary.LittleEndian.AppendUint64(in, inputLoad64(at))
	}
	for ; at < n; at++ {
		in = append(in, byte(inputLoad8(at)))
	}
	return bytes.Split(in, []byte("\n"))
}

func output(b []byte) {
	n := uint64(len(b))
	to := alloc(n)
	at := uint64(0)
	for ; at+8 <= n; at += 8 {
		store64(to+at, binary.LittleEndian.Uint64(b[at:]))
	}
	for ; at < n; at++ {
		store8(to+at, uint32(b[at]))
	}
	outputSet(to, n)
}

//go:wasmexport drop
func drop() int32 {
	fields := input()
	if len(fields) != 1 || len(fields[0]) == 0 {
		return 1
	}
	return 0
}

//go:wasmexport route
func route() int32 {
	fields := input()
	if len(fields) != 4 {
		return 1
	}
	out = append(append(append(out[:0], "project/"...), fields[0]...), "/instances\n"...)
	out = append(append(out, fields[1]...), "\n{\"v\":1,\"kind\":\"server\",\"id\":\""...)
	out = append(append(out, fields[1]...), `","name":"`...)
	out = append(append(out, fields[2]...), `","status":"`...)
	out = append(append(out, fields[3]...), `"}`...)
	output(out)
	return 0
}

func main() {}
