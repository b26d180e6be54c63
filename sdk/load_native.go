//go:build !wasip1

package sdk

import (
	"encoding/binary"
	"unsafe"
)

// Everything here is as in load_wasip1.go, but in any byte order and with bounds checked where a bound is known.

func field(at uint32) (offset, word uint32) {
	entry := current.scratch[at : at+8]
	return binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[4:])
}

// text is nothing where the value is too big to be in the block.
func text(at, n uint32) string {
	if at+n > scratchBytes {
		return ""
	}
	return alias(current.scratch[at : at+n])
}

func load64(s string, i int) (w uint64) { return binary.LittleEndian.Uint64([]byte(s[i : i+8])) }

func short(s string) (w uint64) {
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * i)
	}
	return w
}

func put64(to unsafe.Pointer, w uint64) { binary.LittleEndian.PutUint64((*[8]byte)(to)[:], w) }
func put32(to unsafe.Pointer, w uint32) { binary.LittleEndian.PutUint32((*[4]byte)(to)[:], w) }
func put16(to unsafe.Pointer, w uint16) { binary.LittleEndian.PutUint16((*[2]byte)(to)[:], w) }
func put8(to unsafe.Pointer, w byte)    { *(*byte)(to) = w }
