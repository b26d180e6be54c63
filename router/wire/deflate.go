package wire

import (
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
)

// worthDeflating is from how many bytes a batch is compressed: a message of 300
// shrinks by a third.
const worthDeflating = 256

// Deflated is the batch as one compressed text frame, made when the first
// subscriber asks and the same for all of them: it refers to no earlier frame
// (server_no_context_takeover). If compressing gains nothing it is Frame.
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

// deflate makes the compressed frame and reports whether it is smaller.
func (b *Batch) deflate() bool {
	const tail = 4 // of the empty block that ends a flush, which the receiver adds
	if b.Size() < worthDeflating {
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

// AcceptableDeflate reports whether an offer of a websocket extension is one of
// permessage-deflate that Batch.Deflated suits (RFC 7692, section 7.1).
func AcceptableDeflate(offer string) bool {
	parts := strings.Split(offer, ";")
	if strings.TrimSpace(parts[0]) != "permessage-deflate" {
		return false
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, has := strings.Cut(strings.TrimSpace(part), "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		if seen[name] {
			return false
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if has {
				return false
			}
		case "server_max_window_bits":
			if value != "15" {
				return false
			}
		case "client_max_window_bits":
			if n, err := strconv.Atoi(value); has && (err != nil || n < 8 || n > 15) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
