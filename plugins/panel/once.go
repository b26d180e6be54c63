package panel

const (
	// memory is for how many seconds something that was told is remembered:
	// where nova tells everything in both of its formats, the second comes
	// within one.
	memory = 600
	// maxOnce is how long a key of the router's store may be, in bytes.
	maxOnce = 256
)

// Once reports whether this has not been told yet, and remembers that it has been.
// The parts say what it is, such as a resource, a request and a word; of long
// ones, the beginning counts.
func Once(e *Event, parts ...string) bool {
	each := maxOnce/len(parts) - 1
	key := make([]byte, 0, maxOnce)
	for _, part := range parts {
		key = append(append(key, part[:min(len(part), each)]...), ' ')
	}
	return e.KVSwap(string(key), "", memory, 0)
}
