package json

import "unsafe"

// hashKey mixes a member's key, so that looking for a member compares one number
// for each of the others. Equal hashes only mean that the keys are worth
// comparing; nothing depends on their quality but speed.
func hashKey(k string) uint32 {
	const prime = 0x9e3779b97f4a7c15
	n := len(k)
	h := uint64(n) * prime
	switch {
	case n > 8:
		for i := 0; i < n-8; i += 8 {
			h = (h ^ word8(k[i:])) * prime
			h ^= h >> 29
		}
		h ^= word8(k[n-8:])
	case n == 8:
		h ^= word8(k)
	case n >= 4:
		h ^= word4(k) | word4(k[n-4:])<<32
	case n > 0:
		h ^= uint64(k[0]) | uint64(k[n/2])<<8 | uint64(k[n-1])<<16
	}
	h *= prime
	return uint32(h >> 32)
}

func hashBytes(k []byte) uint32 { return hashKey(unsafe.String(unsafe.SliceData(k), len(k))) }

func word8(k string) uint64 {
	_ = k[7]
	return uint64(k[0]) | uint64(k[1])<<8 | uint64(k[2])<<16 | uint64(k[3])<<24 |
		uint64(k[4])<<32 | uint64(k[5])<<40 | uint64(k[6])<<48 | uint64(k[7])<<56
}

func word4(k string) uint64 {
	_ = k[3]
	return uint64(k[0]) | uint64(k[1])<<8 | uint64(k[2])<<16 | uint64(k[3])<<24
}
