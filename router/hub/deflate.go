package hub

import "github.com/klauspost/compress/flate"

// worthDeflating is from how many bytes a batch is compressed: a message of 300
// shrinks by a third.
const worthDeflating = 256

// Deflated is the batch as one compressed text frame, made when the first
// subscriber asks and the same for all: none of it refers to an earlier one
// (server_no_context_takeover). Where compressing gains nothing it is Frame.
func (b *Batch) Deflated() []byte {
	if !b.tried {
		b.tried = true
		b.smaller = b.deflate()
	}
	if b.smaller {
		return b.packed.bytes()
	}
	return b.Frame()
}

// deflate makes the compressed frame and tells whether it is smaller.
func (b *Batch) deflate() bool {
	const tail = 4 // of the empty block that ends a flush, which the receiver adds
	if b.size() < worthDeflating {
		return false
	}
	b.packed.reset()
	if err := flate.StatelessDeflate(&b.packed, b.Lines(), false, nil); err != nil {
		return false // a buffer takes everything
	}
	b.packed.buf = b.packed.buf[:len(b.packed.buf)-tail]
	b.packed.seal(finTextDeflated)
	return len(b.packed.bytes()) < len(b.Frame())
}
