//go:build unix

package guest

import "syscall"

// reserve takes address space for so many bytes, which become memory, all zero,
// when they are touched.
//
// # Errors
//
// The system has not enough of it.
func reserve(size uint64) ([]byte, error) {
	return syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

func unreserve(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic("give an instance's memory back: " + err.Error())
	}
}
