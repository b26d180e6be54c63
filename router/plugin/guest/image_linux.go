package guest

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// image is a guest's memory as it was at one time. It lies in a file without a
// name, of which instances see private copies: pages that they do not write to
// are the same for all.
type image struct {
	bytes []byte
	file  int // -1: the system has none, and bytes are copied
	// stored is how many bytes take memory.
	stored int64
}

// newImage copies a memory.
func newImage(memory []byte) *image {
	m := &image{file: -1}
	if m.open(memory) != nil {
		m.close()
		m.bytes, m.file, m.stored = append([]byte(nil), memory...), -1, int64(len(memory))
	}
	return m
}

func (m *image) open(memory []byte) (err error) {
	if m.file, err = unix.MemfdCreate("hr-snapshot", unix.MFD_CLOEXEC); err != nil {
		m.file = -1
		return err
	}
	if err = unix.Ftruncate(m.file, int64(len(memory))); err != nil {
		return err
	}
	// What is zero stays a hole, and takes no memory.
	const page = 4096
	for at := 0; at < len(memory); at += page {
		if part := memory[at : at+page]; !zero(part) {
			if _, err = unix.Pwrite(m.file, part, int64(at)); err != nil {
				return err
			}
			m.stored += page
		}
	}
	m.bytes, err = unix.Mmap(m.file, 0, len(memory), unix.PROT_READ, unix.MAP_SHARED)
	return err
}

func zero(b []byte) bool {
	for len(b) >= 8 {
		if *(*uint64)(unsafe.Pointer(unsafe.SliceData(b))) != 0 {
			return false
		}
		b = b[8:]
	}
	return true
}

func (m *image) close() {
	if m.file < 0 {
		return
	}
	if m.bytes != nil {
		_ = unix.Munmap(m.bytes)
	}
	_ = unix.Close(m.file)
	m.bytes, m.file = nil, -1
}

// show makes the memory what the image is.
func (m *linearMemory) show(shown *image) {
	m.mapped = false
	if m.reserved != nil && shown.file >= 0 {
		_, err := unix.MmapPtr(shown.file, 0, unsafe.Pointer(unsafe.SliceData(m.reserved)), uintptr(len(shown.bytes)),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
		m.mapped = err == nil
	}
	if !m.mapped {
		copy(m.all(), shown.bytes)
	}
}

// restore makes the memory what the image is, after show: what was written since
// is dropped.
func (m *linearMemory) restore(shown *image) {
	if !m.mapped || unix.Madvise(m.reserved[:len(shown.bytes)], unix.MADV_DONTNEED) != nil {
		copy(m.all(), shown.bytes)
	}
}
