//go:build wasip1

package main

import "unsafe"

//go:wasmimport hr subscribe
func subscribe(pointer unsafe.Pointer, length uint32)

const declaration = "on compute.*\n"

var (
	scratch [4096]byte
	leaked  [][]byte
)

//go:wasmexport hr_abi_1
func marker() {}

//go:wasmexport hr_init
func start() int64 {
	subscribe(unsafe.Pointer(unsafe.StringData(declaration)), uint32(len(declaration)))
	return int64(uintptr(unsafe.Pointer(&scratch)))<<32 | int64(len(scratch))
}

//go:wasmexport hr_event
func event() int64 {
	for range 64 {
		leaked = append(leaked, make([]byte, 64<<10))
	}
	return 0
}

func main() {}
