//go:build wasip1

package main

import "unsafe"

//go:wasmimport hr subscribe
func subscribe(pointer unsafe.Pointer, length uint32)

const declaration = "on compute.*\n"

var scratch [4096]byte

//go:wasmexport hr_abi_1
func marker() {}

//go:wasmexport hr_init
func start() int64 {
	subscribe(unsafe.Pointer(unsafe.StringData(declaration)), uint32(len(declaration)))
	return int64(uintptr(unsafe.Pointer(&scratch)))<<32 | int64(len(scratch))
}

//go:wasmexport hr_event
func event() int64 {
	var nothing *[8]int64
	return nothing[scratch[0]&7]
}

func main() {}
