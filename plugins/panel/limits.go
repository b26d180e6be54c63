package panel

import (
	"strconv"

	"horizon-realtime/sdk"
)

const (
	// maxKey is how long the router lets an emission's key be, in bytes. Names
	// that serve as ids may be longer: those of key pairs have 255 characters.
	maxKey = 128
	// maxField is how long a column may be that its owner writes freely, in
	// bytes. A payload may have 64 KiB, and a byte can take six in JSON.
	maxField = 2 << 10
	// maxList is the same for a list that only services write.
	maxList = 24 << 10
)

// Small is the value, absent where it is longer than a row has room for: a
// stack's description can fill a book. A panel then asks the service for it.
func Small(v sdk.Value) sdk.Value { return within(maxField, v) }

// List is Small for what only services and admins write, such as the hosts of an
// aggregate.
func List(v sdk.Value) sdk.Value { return within(maxList, v) }

func within(limit int, v sdk.Value) sdk.Value {
	if len(v.Text())+len(v.Literal()) > limit {
		return sdk.Value{}
	}
	return v
}

// Key makes an emission's key of an id: the id, or its beginning and a hash.
func Key(id string) string {
	if len(id) <= maxKey {
		return id
	}
	hash := uint64(14695981039346656037) // FNV-1a, for whose package a module would pay
	for i := range len(id) {
		hash = (hash ^ uint64(id[i])) * 1099511628211
	}
	end := maxKey - len("~") - 16
	for end > 0 && id[end]&0xC0 == 0x80 { // not within a character
		end--
	}
	return id[:end] + "~" + strconv.FormatUint(hash, 16)
}
