//go:build wasip1

// Command decode is what the fuel's overhead is measured on: encoding/json in a
// Go guest. It speaks no ABI; the host calls its exports.
package main

import (
	"encoding/json"
	"unsafe"
)

var message []byte

//go:wasmexport room
func room(n int32) int32 {
	message = make([]byte, n)
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(message))))
}

//go:wasmexport decode
func decode() int32 {
	var v map[string]any
	if err := json.Unmarshal(message, &v); err != nil {
		return -1
	}
	return int32(len(v))
}

func main() {}
