package guest

import "github.com/tetratelabs/wazero/experimental"

// linearMemory is the memory of one instance. It lies outside of Go's heap, in
// address space reserved for the largest size it may have: it grows without being
// copied, costs Go's collector nothing, and goes back to the system as soon as the
// instance is closed. Nothing may point into it then.
type linearMemory struct {
	// limit is how many bytes it may have.
	limit uint64
	// reserved is the address space; nil if the system would not give it.
	reserved []byte
	// heap is the memory if nothing is reserved.
	heap []byte
	// mapped says that the memory is a private copy of a snapshot's pages.
	mapped bool
}

// all is the memory, and what is reserved behind it.
func (m *linearMemory) all() []byte {
	if m.reserved != nil {
		return m.reserved
	}
	return m.heap
}

// Allocate implements experimental.MemoryAllocator. A module has one memory at
// most. Its instances may have different limits.
func (m *linearMemory) Allocate(_, most uint64) experimental.LinearMemory {
	m.reserved, _ = reserve(min(most, m.limit))
	return m
}

// Reallocate implements experimental.LinearMemory: without room it returns nil.
func (m *linearMemory) Reallocate(size uint64) []byte {
	if size > m.limit {
		return nil
	}
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
