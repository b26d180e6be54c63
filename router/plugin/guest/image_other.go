//go:build !linux

package guest

// image is a guest's memory as it was at one time.
type image struct {
	bytes  []byte
	stored int64
}

func newImage(memory []byte) *image {
	return &image{append([]byte(nil), memory...), int64(len(memory))}
}

func (m *image) close() { m.bytes = nil }

// show makes the memory what the image is, and restore does so again.
func (m *linearMemory) show(shown *image) { copy(m.all(), shown.bytes) }

func (m *linearMemory) restore(shown *image) { copy(m.all(), shown.bytes) }
