package sdk

import "unsafe"

// WebAssembly is little-endian and reads at any address.

func load32(b *[scratchBytes]byte, at uint32) uint32 {
	return *(*uint32)(unsafe.Pointer(&b[at]))
}

// load64 reads the eight bytes of s from i on, which are there.
func load64(s string, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}
