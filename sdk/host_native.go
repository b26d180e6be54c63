//go:build !wasip1

package sdk

import "horizon-realtime/sdk/internal/native"

// Outside of WebAssembly, package sdktest is the router.

func init() { native.Start, native.Handle = start, handle }

func hostSubscribe(text string)                { native.Router.Subscribe(text) }
func hostConfig(buffer []byte) int             { return native.Router.Config(buffer) }
func hostLog(level uint32, line string)        { native.Router.Log(level, line) }
func hostField(path string, buf []byte) uint32 { return native.Router.Field(path, buf) }
func hostRaw(buffer []byte) int                { return native.Router.Raw(buffer) }
func hostKVGet(key string, buf []byte) uint64  { return native.Router.KVGet(key, buf) }
func hostKVDelete(key string) bool             { return native.Router.KVDelete(key) }
func hostNow() int64                           { return native.Router.Now() }
func hostKVSet(key, value string, ttl, version uint32) bool {
	return native.Router.KVSet(key, value, ttl, version)
}
