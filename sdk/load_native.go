//go:build !wasip1

package sdk

func load32(b *[scratchBytes]byte, at uint32) uint32 {
	s := b[at : at+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// load64 reads the eight bytes of s from i on, which are there.
func load64(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// load32s is load64 for four bytes.
func load32s(s string, i int) uint32 {
	s = s[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// text gives n bytes of b as a string.
func text(b *[scratchBytes]byte, at, n uint32) string { return alias(b[at : at+n]) }
