package sdk

import "horizon-realtime/sdk/abi"

// The store is what a filter remembers from one event to the next. A module's
// variables will not do: the router runs several copies of it side by side, and
// replaces them. The store is one for all copies, kept in the router's memory,
// bounded, and empty after a restart; what was written longest ago makes room.

// KVGet reads from the store. The version is 0 where there is no such key, else
// it is what KVSwap wants to see unchanged.
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

// KVSet writes to the store, whatever is there, for so many seconds; 0 is the
// longest that the router allows. It tells whether the store took it.
func (e *Event) KVSet(key, value string, seconds uint32) bool {
	return hostKVSet(key, value, seconds, abi.KVAnyVersion)
}

// KVSwap writes to the store if the key is still at the version that KVGet told,
// 0 for "there is none". If it is not, another copy of the filter was quicker:
// read again and decide anew.
func (e *Event) KVSwap(key, value string, seconds, version uint32) bool {
	return hostKVSet(key, value, seconds, version)
}

// KVDelete forgets a key and tells whether it was there.
func (e *Event) KVDelete(key string) bool { return hostKVDelete(key) }
