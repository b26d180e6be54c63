package sdk

import "unsafe"

// The functions of the router, as package abi describes them.

//go:wasmimport hr subscribe
func importSubscribe(text unsafe.Pointer, length uint32)

//go:wasmimport hr config
func importConfig(buffer unsafe.Pointer, limit uint32) uint32

//go:wasmimport hr log
func importLog(level uint32, text unsafe.Pointer, length uint32)

//go:wasmimport hr field
func importField(path unsafe.Pointer, length uint32, buffer unsafe.Pointer, limit uint32) uint32

//go:wasmimport hr raw
func importRaw(buffer unsafe.Pointer, limit uint32) uint32

//go:wasmimport hr kv_get
func importKVGet(key unsafe.Pointer, length uint32, buffer unsafe.Pointer, limit uint32) uint64

//go:wasmimport hr kv_set
func importKVSet(key unsafe.Pointer, length uint32, value unsafe.Pointer, valueLength, ttl, version uint32) uint32

//go:wasmimport hr kv_delete
func importKVDelete(key unsafe.Pointer, length uint32) uint32

//go:wasmimport hr now
func importNow() uint64

func hostSubscribe(text string) { importSubscribe(pointer(text), size(text)) }

func hostConfig(buffer []byte) int { return int(importConfig(room(buffer), uint32(len(buffer)))) }

func hostLog(level uint32, line string) { importLog(level, pointer(line), size(line)) }

func hostField(path string, buffer []byte) uint32 {
	return importField(pointer(path), size(path), room(buffer), uint32(len(buffer)))
}

func hostRaw(buffer []byte) int { return int(importRaw(room(buffer), uint32(len(buffer)))) }

func hostKVGet(key string, buffer []byte) uint64 {
	return importKVGet(pointer(key), size(key), room(buffer), uint32(len(buffer)))
}

func hostKVSet(key, value string, ttl, version uint32) bool {
	return importKVSet(pointer(key), size(key), pointer(value), size(value), ttl, version) == 1
}

func hostKVDelete(key string) bool { return importKVDelete(pointer(key), size(key)) == 1 }

func hostNow() int64 { return int64(importNow()) }

func pointer(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
func size(s string) uint32            { return uint32(len(s)) }
func room(b []byte) unsafe.Pointer    { return unsafe.Pointer(unsafe.SliceData(b)) }
