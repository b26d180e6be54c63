package rabbittest

import "syscall"

// childAttributes give a child its own process group, and end it when the
// program that started it is killed and cannot.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
