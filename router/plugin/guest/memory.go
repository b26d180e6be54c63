package guest

import "github.com/tetratelabs/wazero/experimental"

// linearMemory is the memory of one instance. It lies outside of Go's heap, at
// one place that is reserved for all that it may become: it grows without being
// copied, costs Go's collector nothing, and is the system's again as soon as the
// instance is closed. Nothing may point into it then. It belongs to one
// instance.
type linearMemory struct {
	// reserved is what the system keeps addresses for; nil where it would not.
	reserved []byte
	// heap is the memory where nothing is reserved.
	heap []byte
}

// Allocate implements experimental.MemoryAllocator. A module has one memory at
// most.
func (m *linearMemory) Allocate(_, most uint64) experimental.LinearMemory {
	m.reserved, _ = reserve(most)
	return m
}

// Reallocate implements experimental.LinearMemory.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if m.reserved != nil {
		return m.reserved[:size:size]
	}
	m.heap = append(m.heap, make([]byte, size-uint64(len(m.heap)))...)
	return m.heap
}

// Free implements experimental.LinearMemory. It may be called again.
func (m *linearMemory) Free() {
	if m.reserved != nil {
		unreserve(m.reserved)
	}
	m.reserved, m.heap = nil, nil
}
