// Command stdlib is a filter that asks the Go runtime and standard library for
// everything a program usually has, and emits what it got.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
	"unsafe"
)

//go:wasmimport hr subscribe
func subscribe(pointer unsafe.Pointer, length uint32)

const declaration = "on compute.*\n"

var (
	scratch [4096]byte
	out     []byte
	started = time.Now()
)

//go:wasmexport hr_abi_1
func marker() {}

//go:wasmexport hr_init
func start() int64 {
	subscribe(unsafe.Pointer(unsafe.StringData(declaration)), uint32(len(declaration)))
	return int64(uintptr(unsafe.Pointer(&scratch)))<<32 | int64(len(scratch))
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

//go:wasmexport hr_event
func event() int64 {
	now := time.Now()
	time.Sleep(90 * time.Minute)
	slept := time.Since(now)
	_, file := os.ReadFile("/etc/passwd")
	_, written := os.Create("/tmp/x")
	_, network := net.Dial("tcp", "127.0.0.1:22")
	sum := 0
	var work sync.WaitGroup
	var mu sync.Mutex
	for i := range 10 {
		work.Add(1)
		go func() {
			defer work.Done()
			mu.Lock()
			sum += i
			mu.Unlock()
		}()
	}
	work.Wait()
	fmt.Println("said on stdout")
	fmt.Fprintln(os.Stderr, "said on stderr")
	payload, err := json.Marshal(map[string]any{
		"now": now.UTC().Format(time.RFC3339), "slept": slept >= 59*time.Minute,
		"file": text(file), "create": text(written), "network": network != nil,
		"args": len(os.Args), "env": len(os.Environ()),
		"random": rand.Uint64() == 0, "sum": sum,
	})
	if err != nil {
		panic(err)
	}
	out = binary.LittleEndian.AppendUint32(out[:0], 1)
	out = binary.LittleEndian.AppendUint32(out, uint32(8+8+len(payload)))
	out = binary.LittleEndian.AppendUint64(out, 8)
	out = append(append(out, "public/a"...), payload...)
	return int64(uintptr(unsafe.Pointer(&out[0])))<<32 | int64(len(out))
}

func main() {}
