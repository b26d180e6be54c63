package sdk

import "horizon-realtime/sdk/abi"

// The store is what a plugin remembers from one event to the next. A module's
// variables cannot do that: the router runs several copies side by side and
// replaces them. All copies share one store. It is kept in the router's memory,
// bounded, and empty after a restart; the oldest entries make room for new ones.

// KVGet reads from the store. The version is 0 if there is no such key; otherwise
// pass it to KVSwap.
func (e *Event) KVGet(key string) (value string, version uint32) {
	buffer := free(256)
	found := hostKVGet(key, buffer)
	for int(uint32(found)) > len(buffer) { // again: another copy may make it longer still
		buffer = free(int(uint32(found)))
		found = hostKVGet(key, buffer)
	}
	length := int(uint32(found))
	keep(length)
	return alias(buffer[:length]), uint32(found >> 32)
}

// KVSet writes to the store, overwriting what is there, for that many seconds; 0 is
// the longest that the router allows. It reports whether the store took it.
func (e *Event) KVSet(key, value string, seconds uint32) bool {
	return hostKVSet(key, value, seconds, abi.KVAnyVersion)
}

// KVSwap writes to the store if the key still has the version that KVGet returned,
// 0 for "no such key". If it has not, another copy of the plugin was faster:
// read and decide again.
func (e *Event) KVSwap(key, value string, seconds, version uint32) bool {
	return hostKVSet(key, value, seconds, version)
}

// KVDelete forgets a key and reports whether it was there.
func (e *Event) KVDelete(key string) bool { return hostKVDelete(key) }
