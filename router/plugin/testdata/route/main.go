// Command route is a filter in plain Go, without the sdk: it reads three fields
// of an instance's notification and emits a panel message of about 110 bytes.
package main

import "unsafe"

//go:wasmimport hr subscribe
func subscribe(pointer unsafe.Pointer, length uint32)

const declaration = "on compute.instance.*\nwant /payload/instance_id\nwant /payload/display_name\nwant /payload/state\n"

var (
	scratch [4096]byte
	out     [4096]byte
)

//go:wasmexport hr_abi_1
func marker() {}

//go:wasmexport hr_init
func start() int64 {
	subscribe(unsafe.Pointer(unsafe.StringData(declaration)), uint32(len(declaration)))
	return int64(uintptr(unsafe.Pointer(&scratch)))<<32 | int64(len(scratch))
}

func u32(at int) int {
	return int(*(*uint32)(unsafe.Pointer(&scratch[at])))
}

func field(i int) []byte {
	at := 16 + 8*i
	from, length := u32(at), u32(at+4)&(1<<28-1)
	return scratch[from : from+length]
}

//go:wasmexport hr_event
func event() int64 {
	project, id := field(5), field(8)
	if len(project) == 0 {
		return 0
	}
	b := append(out[:8+8], "project/"...)
	b = append(b, project...)
	b = append(b, "/instances"...)
	channel := len(b) - 16
	b = append(b, id...)
	b = append(b, `{"v":1,"kind":"server","id":"`...)
	b = append(b, id...)
	b = append(b, `","name":"`...)
	b = append(b, field(9)...)
	b = append(b, `","status":"`...)
	b = append(b, field(10)...)
	b = append(b, `"}`...)
	put := func(at int, v uint32) { *(*uint32)(unsafe.Pointer(&out[at])) = v }
	put(0, 1)
	put(4, uint32(len(b)-8))
	put(8, uint32(channel)|uint32(len(id))<<16)
	put(12, 0)
	return int64(uintptr(unsafe.Pointer(&out)))<<32 | int64(len(b))
}

func main() {}
