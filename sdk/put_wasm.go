//go:build !purego

package sdk

import "unsafe"

// putText copies s to where to is, for which there is room and seven bytes more,
// and gives where it ends and the special bits of its bytes. It is run for every
// string that an event's answer is made of. In put_wasm.s it is as in put.go, but
// without the jump table that Go makes of a loop.
//
//go:noescape
func putText(to unsafe.Pointer, s string) (end unsafe.Pointer, bad uint64)
