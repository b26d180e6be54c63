//go:build !purego

package sdk

import "unsafe"

// putText copies s to where to is, for which there is room and seven bytes more,
// and gives where it ends and the special bits of its bytes. In put_wasm.s it is the loop of put.go
// without the jumps that Go makes of one: half of what building a message costs.
//
//go:noescape
func putText(to unsafe.Pointer, s string) (end unsafe.Pointer, bad uint64)
