package sdk

import "unsafe"

// WebAssembly is little-endian and reads at any address.

func load32(b *[scratchBytes]byte, at uint32) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(b), at))
}

// load64 reads the eight bytes of s from i on, which are there.
func load64(s string, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

// load32s is load64 for four bytes.
func load32s(s string, i int) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

// text gives n bytes of b as a string.
func text(b *[scratchBytes]byte, at, n uint32) string {
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(b), at)), n)
}
