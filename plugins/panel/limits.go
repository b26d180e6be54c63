package panel

import (
	"strconv"

	"horizon-realtime/sdk"
)

// Bounds of what one notification may cost, in bytes.
const (
	// maxValue is how long a value may be that is read at all. The object of one
	// of neutron's resources has 1 to 2 KB.
	maxValue = 8 << 10
	// maxList is the same for a list that tables show entry by entry: some 70
	// addresses of a server. All that is wanted fits the SDK's scratch block.
	maxList = 24 << 10
	// maxName is how long names and ids may be, of which services allow 255
	// characters, and maxWord how long a status may be, and an error.
	maxName = 4 * 255
	maxWord = 255
	// maxColumn is how long a column may be that its owner writes freely, and
	// maxColumns what all may take of the 64 KiB that the router allows a message.
	maxColumn  = 2 << 10
	maxColumns = 42 << 10
	// maxEvent is what all messages of one event may take, of 256 KiB that the
	// router allows. Past maxDetail they are hints.
	maxEvent  = 240 << 10
	maxDetail = 4 << 10

	// maxKey is how long the router lets an emission's key be. Names that serve
	// as ids may be longer: those of key pairs have 255 characters.
	maxKey = 128
)

// MaxEntries is how many entries a column may have that is a list. A longer list
// is left out, so that a page asks for it rather than showing a part of it.
const MaxEntries = 64

// MaxAtOnce is how many resources that were created at once are told: each takes
// two of the 64 emissions that the router allows.
const MaxAtOnce = 31

// Small is the value, absent if it is longer than a row has room for: a stack's
// description can fill a book. A panel then asks the service for it.
func Small(v sdk.Value) sdk.Value { return within(maxColumn, v) }

// Name is Small for names and ids.
func Name(v sdk.Value) sdk.Value { return within(maxName, v) }

func within(limit int, v sdk.Value) sdk.Value {
	if v.Len() > limit {
		return sdk.Value{}
	}
	return v
}

// Few is the list, absent if it has more than MaxEntries entries.
func Few(list sdk.Value) sdk.Value {
	if len(list.Literal()) > 16*MaxEntries { // no entry is shorter
		n := 0
		for it := list.Items(); it.Next(); n++ {
			if n == MaxEntries {
				return sdk.Value{}
			}
		}
	}
	return list
}

// Key makes an emission's key of an id: the id, or its beginning and a hash if it is
// too long or has control characters, which the router refuses in keys.
func Key(id string) string {
	if len(id) <= maxKey && (sdk.Plain(id) || printable(id) == len(id)) {
		return id
	}
	end := printable(id)
	hash := uint64(14695981039346656037) // FNV-1a, for whose package a module would pay
	for i := range len(id) {
		hash = (hash ^ uint64(id[i])) * 1099511628211
	}
	end = min(end, maxKey-len("~")-16)
	for end > 0 && end < len(id) && id[end]&0xC0 == 0x80 { // not within a character
		end--
	}
	return id[:end] + "~" + strconv.FormatUint(hash, 16)
}

// printable is how many bytes of a text come before its first control character.
func printable(s string) int {
	for i := range len(s) {
		if c := s[i]; c-' ' >= 0x7f-' ' && (c <= 0x7f || c == 0xC2 && s[i+1] < 0xA0) { // U+0080 to U+009F
			return i
		}
	}
	return len(s)
}
