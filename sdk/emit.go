package sdk

import "horizon-realtime/sdk/abi"

// Channel is where an emission goes. It is a small value.
type Channel struct{ scope, id, topic string }

// Project is the channel `project/<id>/<topic>`, for everybody in that project.
// A filter may send there what belongs to Event.Project, and nothing else unless
// its operator granted it cross_project.
func Project(id, topic string) Channel { return Channel{"project/", id, topic} }

// User is the channel `user/<id>/<topic>`, for that user alone; a filter may
// send there what belongs to Event.User.
func User(id, topic string) Channel { return Channel{"user/", id, topic} }

// Admin is the channel `admin/<topic>`, for which a filter needs the grant admin.
func Admin(topic string) Channel { return Channel{scope: "admin/", topic: topic} }

// Public is the channel `public/<topic>`, for which a filter needs the grant
// cross_project.
func Public(topic string) Channel { return Channel{scope: "public/", topic: topic} }

// nowhere tells whether the channel lacks its owner.
func (c Channel) nowhere() bool { return c.id == "" && (c.scope == "project/" || c.scope == "user/") }

// maxName is how many bytes a channel or a key may take in a record. The router
// allows fewer.
const maxName = 1<<16 - 1

// Emit sends the payload to a channel. The key is the id of the resource it is
// about: of two messages with one key, a slow client may get only the later one;
// it may be empty. Sending to the project or the user of a resource that has
// none does nothing. The payload is copied, and can be written on for the next.
func (e *Event) Emit(to Channel, key string, payload ObjectBuilder) {
	e.emit(to, key, payload.Text(), 0)
}

// EmitRemoved is Emit, and says that the resource named by the key is gone.
func (e *Event) EmitRemoved(to Channel, key string, payload ObjectBuilder) {
	e.emit(to, key, payload.Text(), abi.EmitRemoved)
}

// EmitText is Emit for a payload that is JSON text already: one value, without
// line breaks.
func (e *Event) EmitText(to Channel, key, payload string) { e.emit(to, key, payload, 0) }

// Stop keeps this notification from the filters that come after this one.
func (e *Event) Stop() { e.record(abi.TagStop, 0) }

func (e *Event) emit(to Channel, key, payload string, flags uint32) {
	if to.nowhere() {
		return
	}
	channel := len(to.scope) + len(to.id) + len(to.topic)
	if to.id != "" {
		channel++
	}
	if channel > maxName || len(key) > maxName {
		panic("sdk: a channel or key of more than 65535 bytes")
	}
	e.record(abi.TagEmit, abi.EmitHeader+channel+len(key)+len(payload))
	b := e.result
	b = append(b, byte(channel), byte(channel>>8), byte(len(key)), byte(len(key)>>8))
	b = append(b, byte(flags), byte(flags>>8), byte(flags>>16), byte(flags>>24))
	b = append(append(b, to.scope...), to.id...)
	if to.id != "" {
		b = append(b, '/')
	}
	b = append(b, to.topic...)
	e.result = append(append(b, key...), payload...)
}

// record writes a record's header.
func (e *Event) record(tag uint32, length int) {
	e.result = append(e.result, byte(tag), byte(tag>>8), byte(tag>>16), byte(tag>>24),
		byte(length), byte(length>>8), byte(length>>16), byte(length>>24))
}
