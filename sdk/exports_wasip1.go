package sdk

import "unsafe"

// What the module exports, as package abi describes it.

//go:wasmexport hr_abi_1
func exportMarker() {}

//go:wasmexport hr_plugins
func exportPlugins() int64 { return block(plugins()) }

//go:wasmexport hr_choose
func exportChoose(number int32) { choose(int(number)) }

//go:wasmexport hr_init
func exportInit() int64 { return block(start()) }

//go:wasmexport hr_event
func exportEvent() int64 { return block(handle()) }

// block tells the router where bytes are: pointer << 32 | length, 0 for none.
// Go's collector never moves them.
func block(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))<<32 | int64(len(b))
}
