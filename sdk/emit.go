package sdk

import (
	"unsafe"

	"horizon-realtime/sdk/abi"
)

// Channel is where an emission goes. It is a small value.
type Channel struct{ scope, id, topic string }

// Project is the channel `project/<id>/<topic>`, for everybody in that project.
// A plugin may emit there only if the id is Event.Project, unless the operator
// granted it cross_project.
func Project(id, topic string) Channel { return Channel{"project/", id, topic} }

// User is the channel `user/<id>/<topic>`, for that user alone: in
// the notification's project, or in all if it has none. A plugin may emit there
// only if the id is Event.User.
func User(id, topic string) Channel { return Channel{"user/", id, topic} }

// Admin is the channel `admin/<topic>`, for which a plugin needs the grant admin.
func Admin(topic string) Channel { return Channel{scope: "admin/", topic: topic} }

// Public is the channel `public/<topic>`, for which a plugin needs the grant
// cross_project.
func Public(topic string) Channel { return Channel{scope: "public/", topic: topic} }

// nowhere reports whether the channel lacks its owner.
func (c Channel) nowhere() bool { return c.id == "" && (c.scope == "project/" || c.scope == "user/") }

// maxName is how many bytes a channel or a key may take in a record. The router
// allows fewer.
const maxName = 1<<16 - 1

// Emit sends the payload to a channel. The key is the id of the resource it is
// about and may be empty: of two messages with the same key, a slow client may get
// only the later one. If the resource has no project or user, emitting to it does
// nothing. The payload is copied; you can extend it for the next emission.
func (e *Event) Emit(to Channel, key string, payload ObjectBuilder) {
	e.emitObject(to, key, payload.place, 0)
}

// EmitRemoved is Emit, and adds that the resource named by the key is gone.
func (e *Event) EmitRemoved(to Channel, key string, payload ObjectBuilder) {
	e.emitObject(to, key, payload.place, abi.EmitRemoved)
}

// EmitText is Emit for a payload that is JSON text already: one value, without
// line breaks.
func (e *Event) EmitText(to Channel, key, payload string) {
	if b := e.emission(to, key, len(payload), 0); b != nil {
		b.n += copy(b.b[b.n:], payload)
	}
}

// Stop hides this notification from the plugins that come after this one.
func (e *Event) Stop() {
	b := &e.result
	b.room(abi.RecordHeader)
	put64(b.to(), abi.TagStop)
	b.n += abi.RecordHeader
}

// emitObject closes the copy of the text, so that the text can be written on.
func (e *Event) emitObject(to Channel, key string, payload place, flags uint64) {
	j := payload.open()
	length := j.n + j.depth
	if j.b[j.n-1] == ',' {
		length--
	}
	if b := e.emission(to, key, length, flags); b != nil {
		b.n += copy(b.b[b.n:], j.b[:j.n])
		b.n = j.close(b)
	}
}

// emission writes a record up to its payload, of that length, for which it makes
// room; nil where nobody is to hear of it.
func (e *Event) emission(to Channel, key string, payload int, flags uint64) *buffer {
	scope, id, topic := to.scope, to.id, to.topic
	channel := len(scope) + len(topic)
	if id != "" {
		channel += len(id) + 1
	} else if to.nowhere() {
		return nil
	}
	if channel > maxName || len(key) > maxName {
		panic("sdk: a channel or key of more than 65535 bytes")
	}
	length := abi.EmitHeader + channel + len(key) + payload
	b := &e.result
	b.room(abi.RecordHeader + length)
	at := b.to()
	put64(at, abi.TagEmit|uint64(length)<<32)
	put64(unsafe.Add(at, abi.RecordHeader), uint64(channel)|uint64(len(key))<<16|flags<<32)
	at, _ = putText(unsafe.Add(at, abi.RecordHeader+abi.EmitHeader), scope)
	if id != "" {
		at, _ = putText(at, id)
		put8(at, '/')
		at = unsafe.Add(at, 1)
	}
	at, _ = putText(at, topic)
	at, _ = putText(at, key)
	b.wrote(at)
	return b
}
