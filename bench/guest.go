package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"horizon-realtime/sdk/abi"
)

// buildGuest compiles a program under guests/ with the standard toolchain.
func buildGuest(name string) ([]byte, error) {
	return build(name, func(out string) *exec.Cmd {
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, "./guests/"+name)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		return cmd
	})
}

// buildC compiles a program under guests/c as the SDK for C says.
func buildC(name string) ([]byte, error) {
	return build(name, func(out string) *exec.Cmd {
		return exec.Command("../sdk/c/build", "guests/c/"+name+".c", out)
	})
}

// build gives what the compiler leaves in the file out.
func build(name string, compiler func(out string) *exec.Cmd) ([]byte, error) {
	dir, err := os.MkdirTemp("", "bench-guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, name+".wasm")
	cmd := compiler(out)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the guest: %s: %w\n%s", cmd, err, text)
	}
	return os.ReadFile(out)
}

// silentModule is the smallest plugin there is: it asks for the event types and
// says nothing, ever. A hundred of these cost no memory to speak of.
func silentModule(on string) []byte {
	const (
		i32, i64              = 0x7f, 0x7e
		function, memory      = 0, 2
		constI32, constI64    = 0x41, 0x42
		call, end             = 0x10, 0x0b
		scratchAt, scratchLen = 4096, 4096
	)
	declaration := abi.DeclareOn + on + "\n"
	name := func(s string) []byte { return append(leb(len(s)), s...) }
	export := func(s string, kind, index byte) []byte { return append(name(s), kind, index) }
	code := func(instructions ...byte) []byte {
		body := append(append([]byte{0}, instructions...), end)
		return append(leb(len(body)), body...)
	}
	start := append([]byte{constI32, 0, constI32}, signed(int64(len(declaration)))...)
	start = append(append(start, call, 0, constI64), signed(scratchAt<<32|scratchLen)...)

	m := binary.LittleEndian.AppendUint32([]byte("\x00asm"), 1)
	section := func(id byte, items ...[]byte) {
		body := leb(len(items))
		for _, item := range items {
			body = append(body, item...)
		}
		m = append(append(append(m, id), leb(len(body))...), body...)
	}
	section(1, []byte{0x60, 2, i32, i32, 0}, []byte{0x60, 0, 0}, []byte{0x60, 0, 1, i64})
	section(2, append(append(name(abi.Module), name(abi.ImportSubscribe)...), function, 0))
	section(3, []byte{1}, []byte{2}, []byte{2})
	section(5, []byte{0, 1})
	section(7, export(abi.Memory, memory, 0), export(abi.Marker, function, 1), export(abi.Init, function, 2), export(abi.Event, function, 3))
	section(10, code(), code(start...), code(constI64, 0))
	section(11, append([]byte{0, constI32, 0, end}, name(declaration)...))
	return m
}

// leb is a number in unsigned LEB128, signed one in signed.
func leb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func signed(n int64) (b []byte) {
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
