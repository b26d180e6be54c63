package transport

import (
	"net"
	"syscall"
	"testing"
	"unsafe"
)

// allRead reports whether what was written to each connection has arrived, as far
// as this side's kernel knows.
func allRead(t testing.TB, conns []net.Conn) bool {
	t.Helper()
	const outgoing = 0x5411 // SIOCOUTQ
	for _, conn := range conns {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var left int32
		if err := raw.Control(func(fd uintptr) {
			syscall.Syscall(syscall.SYS_IOCTL, fd, outgoing, uintptr(unsafe.Pointer(&left)))
		}); err == nil && left > 0 {
			return false
		}
	}
	return true
}
