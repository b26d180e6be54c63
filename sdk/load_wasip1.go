package sdk

import "unsafe"

// WebAssembly is little-endian and reads at any address.

// field reads an entry of the scratch block: where its value is, and its word.
func field(at uint32) (offset, word uint32) {
	entry := unsafe.Add(unsafe.Pointer(&current.scratch), at)
	return *(*uint32)(entry), *(*uint32)(unsafe.Add(entry, 4))
}

// text gives n bytes of the scratch block as a string.
func text(at, n uint32) string {
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(&current.scratch), at)), n)
}

// load64 reads the eight bytes of s from i on, which are there.
func load64(s string, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

// short gives the bytes of a string of one to seven, and zeros. What stands in
// front of a string can always be read, what stands behind it not.
func short(s string) uint64 {
	n := len(s)
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), n-8)) >> (64 - 8*n&63)
}

// put64 writes eight bytes; the others write fewer.
func put64(to unsafe.Pointer, w uint64) { *(*uint64)(to) = w }
func put32(to unsafe.Pointer, w uint32) { *(*uint32)(to) = w }
func put16(to unsafe.Pointer, w uint16) { *(*uint16)(to) = w }
func put8(to unsafe.Pointer, w byte)    { *(*byte)(to) = w }
