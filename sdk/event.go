package sdk

import (
	"unsafe"

	"horizon-realtime/sdk/abi"
)

const (
	// scratchBytes holds an event's fields. Most notifications have 3 kB, the
	// largest 9; fields that do not fit are fetched one by one.
	scratchBytes = 32 << 10
	// resultBytes is the initial size of the result block; it grows.
	resultBytes = 8 << 10
)

// Event is one notification, and the plugin's answer to it. There is one at a
// time. It and everything it hands out are valid until Handle returns.
type Event struct {
	scratch [scratchBytes]byte
	result  buffer
	json    JSON
}

// current is that one event.
var current = Event{result: buffer{b: make([]byte, resultBytes)}}

// Type is the event type, such as `compute.instance.update`.
func (e *Event) Type() string { return e.standard(abi.FieldEventType) }

// Publisher is who sent it: the service and its host, as in `compute.cloud1`.
// Hosts are for admins' eyes only.
func (e *Event) Publisher() string { return e.standard(abi.FieldPublisher) }

// Priority is one of audit, debug, info, warn, error, critical, sample.
func (e *Event) Priority() string { return e.standard(abi.FieldPriority) }

// MessageID is the publisher's id of this message.
func (e *Event) MessageID() string { return e.standard(abi.FieldMessageID) }

// Time is when the message was sent: RFC 3339, UTC, with milliseconds.
func (e *Event) Time() string { return e.standard(abi.FieldTimestamp) }

// Project and User are the ids of the owners of the resource that the message is
// about, empty if it names none. Whoever acted may be someone else, often an
// admin.
func (e *Event) Project() string { return e.standard(abi.FieldProject) }

// User is the id of the user who owns the resource; see Project.
func (e *Event) User() string { return e.standard(abi.FieldUser) }

// RequestID is the API request that caused it, empty if there was none.
func (e *Event) RequestID() string { return e.standard(abi.FieldRequestID) }

// Now is the message's own time in nanoseconds since 1970, so that a replay
// gives the same result. A plugin has no other clock.
func (e *Event) Now() int64 { return hostNow() }

func (e *Event) standard(number uint32) string {
	return entry(abi.HeaderSize + number*abi.EntrySize).Text()
}

// Get returns a wanted field's value in this event.
func (e *Event) Get(f Field) Value {
	v := entry(absentEntry + f.entry)
	if v.kind == abi.TooBig {
		return e.tooBig(f)
	}
	return v
}

// Within is Get for a value that is of use only if it is short: one of more than
// so many bytes is absent, and costs nothing.
func (e *Event) Within(limit int, f Field) Value {
	v := entry(absentEntry + f.entry)
	if v.kind == abi.TooBig {
		return e.FieldWithin(limit, wants[(f.entry-firstWant)/abi.EntrySize])
	}
	if len(v.text) > limit {
		return Value{}
	}
	return v
}

// tooBig fetches a value that did not fit the scratch block.
func (e *Event) tooBig(f Field) Value {
	return e.Field(wants[(f.entry-firstWant)/abi.EntrySize])
}

// absentEntry is where the header, of two numbers, reads as the entry of an
// absent value: a zero Field's. firstWant is by how much the first wanted field's
// entry comes later.
const (
	absentEntry = abi.HeaderCount
	firstWant   = abi.HeaderSize + abi.StandardFields*abi.EntrySize - absentEntry
)

// entry reads one entry of the scratch block. The router wrote it, and the
// bytes it points at, so that it need not be checked.
func entry(at uint32) Value {
	offset, word := field(at)
	return Value{Kind(word >> abi.LengthBits), text(offset, word&abi.LengthMask)}
}

// Field reads any field of the message by its JSON Pointer, at the price of a
// host call. Use Want for fields that you need for most events.
func (e *Event) Field(pointer string) Value { return e.FieldWithin(abi.LengthMask, pointer) }

// FieldWithin is Field for a value that is of use only if it is short, as Within
// is of Get.
func (e *Event) FieldWithin(limit int, pointer string) Value {
	buffer := free(256)
	word := hostField(pointer, buffer)
	if length := int(word & abi.LengthMask); length > limit {
		return Value{}
	} else if length > len(buffer) {
		buffer = free(length)
		word = hostField(pointer, buffer)
	}
	length := int(word & abi.LengthMask)
	keep(length)
	return Value{Kind(word >> abi.LengthBits), alias(buffer[:length])}
}

// Raw returns the whole message as JSON, without its secrets. It allocates as much.
func (e *Event) Raw() string {
	buffer := make([]byte, scratchBytes)
	n := hostRaw(buffer)
	if n > len(buffer) {
		buffer = make([]byte, n)
		n = hostRaw(buffer)
	}
	return alias(buffer[:n])
}

// arena holds the event's strings that had to be decoded. The next event empties
// it; if it has to grow, the collector gets the old one.
var arena []byte

// free lends room for n bytes at the arena's end; keep makes the first n of
// them part of it. A new arena is larger than the old one, so that events that
// need much room soon find it.
func free(n int) []byte {
	if cap(arena)-len(arena) < n {
		arena = make([]byte, 0, max(4096, 2*n, min(2*cap(arena), 64<<10)))
	}
	return arena[len(arena) : len(arena)+n]
}

func keep(n int) { arena = arena[:len(arena)+n] }

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
