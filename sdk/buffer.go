package sdk

import "unsafe"

// What a WebAssembly runtime makes of Go code is slow at calls, jumps and traffic
// with memory, so that strings are looked at and copied in one go, eight bytes at a
// time.

// slack is how many bytes more than it is asked for a buffer makes room for: putText
// writes up to seven too many, and JSON closes up to maxDepth containers without
// asking again.
const slack = 8 + maxDepth + 1

// buffer is memory that is written from the front, and then again. The zero value
// is ready.
type buffer struct {
	// b is the memory, all of it within its length, and n how much is written.
	b []byte
	n int
}

// room makes sure that n more bytes fit.
func (b *buffer) room(n int) {
	if len(b.b)-b.n < n+slack {
		b.grow(n + slack)
	}
}

//go:noinline
func (b *buffer) grow(n int) { b.take(append(b.b[:b.n], make([]byte, n)...)[:b.n]) }

// take makes what was appended to b.b[:b.n] the buffer's.
func (b *buffer) take(grown []byte) { b.b, b.n = grown[:cap(grown)], len(grown) }

// to is where the next byte goes, and wrote says that there is text up to end now.
func (b *buffer) to() unsafe.Pointer { return unsafe.Add(unsafe.Pointer(unsafe.SliceData(b.b)), b.n) }

func (b *buffer) wrote(end unsafe.Pointer) {
	b.n = int(uintptr(end) - uintptr(unsafe.Pointer(unsafe.SliceData(b.b))))
}

// ones has a one in each byte, highs its highest bit.
const (
	ones  = 0x0101010101010101
	highs = ones << 7
)

// special has a byte's highest bit set if a JSON string may not hold one of the
// eight as it is, which is what it nearly always may: ASCII without control
// characters, quotes and backslashes. It gives other bits as well. A quote differs
// in one bit from a space, the first that is no control character.
func special(w uint64) uint64 {
	return w | (w ^ ones*('"'^' ') - ones*(' '+1)) | (w ^ ones*'\\' - ones)
}
