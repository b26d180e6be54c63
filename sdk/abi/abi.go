// Package abi is the contract between the router and a WebAssembly plugin, as
// constants: what crosses the border in either direction, byte by byte.
//
// The host writes a scratch block into the guest's memory and calls hr_event;
// the guest answers with a result block. router/plugin is the host's side, sdk
// the guest's in Go. Everything is little-endian. The package imports nothing,
// so that a plugin can carry it.
package abi

// Version is the major version of the ABI. A host accepts the current and the
// previous one.
const Version = 1

// Names that a module exports and imports.
const (
	// Module is the name of the import module of every host function.
	Module = "hr"
	// Marker is the exported function whose presence says which ABI a module
	// speaks. It takes and returns nothing and is never called.
	Marker = "hr_abi_1"
	// Init is `() -> i64`: called once after _initialize. It returns the
	// scratch buffer as pointer << 32 | length; 0 refuses to start.
	Init = "hr_init"
	// Event is `() -> i64`: called once per notification. It returns 0 where
	// there is nothing to say, else pointer << 32 | length of a result block.
	Event = "hr_event"
	// Plugins is `() -> i64`, and Choose is `(i32)`. A module that exports both may
	// be a bundle of several plugins. Plugins returns their names as pointer << 32
	// | length, one per line, or 0: then the module is one plugin, named as its
	// file is. Choose makes an instance the plugin at that position of the list. It
	// is called once, after _initialize and before hr_init.
	Plugins = "hr_plugins"
	Choose  = "hr_choose"
	// Memory is the exported linear memory.
	Memory = "memory"
	// SelfTests is the custom section of the cases that the router puts a new
	// version to before it takes over. It may be missing.
	SelfTests = "hr_selftests"
	// Label is the custom section with the plugin's name and version, one space
	// between them. It may be missing where no signature is required.
	Label = "hr_plugin"
)

// The scratch block. It starts with a header of HeaderSize bytes:
//
//	0  u32  feature bits of the host
//	4  u32  length of the whole block
//	8  u32  number of wanted fields (those of the subscription, in its order)
//	12 u32  reserved, 0
//
// then StandardFields field entries, then one entry for each wanted field, then
// the bytes the entries point at. An entry is EntrySize bytes:
//
//	0  u32  offset of the value's bytes from the start of the block
//	4  u32  field word: kind << LengthBits | length in bytes
const (
	HeaderSize = 16
	EntrySize  = 8

	HeaderFeatures = 0
	HeaderLength   = 4
	HeaderCount    = 8

	// LengthBits is how many low bits of a field word hold the length.
	LengthBits = 28
	// LengthMask takes the length out of a field word.
	LengthMask = 1<<LengthBits - 1
)

// Kinds of a value, the high bits of a field word.
const (
	// Absent: the message has no such member (or it was a secret).
	Absent = 0
	// Null, False and True have no bytes.
	Null  = 1
	False = 2
	True  = 3
	// Number: the literal as it stands in the message.
	Number = 4
	// String: the decoded text, valid UTF-8, without quotes.
	String = 5
	// Object and Array: JSON text.
	Object = 6
	Array  = 7
	// TooBig: the value is there but does not fit into what is left of the
	// scratch buffer. The length is what it would take (of a string: at most);
	// the import `field` reads it into a buffer of the guest's own.
	TooBig = 8
)

// Indices of the standard fields, which every plugin gets unasked.
const (
	FieldEventType = iota
	FieldPublisher
	FieldPriority
	FieldMessageID
	// FieldTimestamp is RFC 3339, UTC, with milliseconds.
	FieldTimestamp
	// FieldProject and FieldUser are the owners of the resource the
	// notification is about, absent where it names none.
	FieldProject
	FieldUser
	FieldRequestID

	StandardFields
)

// The result block: records one after the other, each RecordHeader bytes of
// header and then its body. Unknown tags are skipped.
//
//	0  u32  tag
//	4  u32  length of the body
const (
	RecordHeader = 8

	// TagEmit: the body is EmitHeader bytes, then channel, key and payload.
	//
	//	0  u16  length of the channel
	//	2  u16  length of the key
	//	4  u32  flags (EmitRemoved)
	//
	// The payload is what is left of the body: one JSON value without line
	// breaks. The key is the resource's id, used to conflate; it may be empty.
	TagEmit = 1
	// TagStop: later plugins do not see this notification. No body.
	TagStop = 2

	EmitHeader = 8
	// EmitRemoved says that the resource named by the key is gone.
	EmitRemoved = 1
)

// A subscription is text, one declaration a line, handed to the import
// `subscribe` during hr_init:
//
//	on <pattern>     an event type, or the beginning of one followed by *
//	want <pointer>   a field of the message, an RFC 6901 JSON Pointer
//	topic <topic>    a topic that the plugin emits to; the operator decides
//	grant <grant>    a grant that it needs; the operator decides
//
// A wanted field's index is its position among the want lines. nova's members
// have dots in their names, which is why paths are pointers:
// /payload/nova_object.data/uuid.
const (
	DeclareOn    = "on "
	DeclareWant  = "want "
	DeclareTopic = "topic "
	DeclareGrant = "grant "
)

// Levels of the import `log`.
const (
	LevelDebug = 0
	LevelInfo  = 1
	LevelWarn  = 2
	LevelError = 3
)

// Host functions of module Module. Pointers, lengths and limits are i32. Those
// that fill a buffer return what there is, and write nothing where it does not
// fit: the guest compares with its limit and calls again with a larger buffer.
const (
	// ImportSubscribe: (ptr, len). Only during hr_init.
	ImportSubscribe = "subscribe"
	// ImportConfig: (buf, limit) -> i32 length of the [plugin.X] config as
	// JSON, `{}` if there is none.
	ImportConfig = "config"
	// ImportLog: (level, ptr, len).
	ImportLog = "log"
	// ImportField: (path, len, buf, limit) -> i32 field word of any field of
	// the current notification, by JSON Pointer.
	ImportField = "field"
	// ImportRaw: (buf, limit) -> i32 length of the whole message as JSON,
	// secrets removed.
	ImportRaw = "raw"
	// ImportKVGet: (key, len, buf, limit) -> i64 version << 32 | length.
	// Version 0: there is no such key.
	ImportKVGet = "kv_get"
	// ImportKVSet: (key, len, value, len, ttl in seconds, version) -> i32 1,
	// or 0 where the key is no longer at that version. Version 0 means "only
	// if there is none", KVAnyVersion means "whatever is there". TTL 0 is the
	// host's longest.
	ImportKVSet = "kv_set"
	// ImportKVDelete: (key, len) -> i32 1 where there was one.
	ImportKVDelete = "kv_delete"
	// ImportNow: () -> i64 the notification's own timestamp, in nanoseconds
	// since 1970, so that a replay gives the same result.
	ImportNow = "now"

	KVAnyVersion = 0xffffffff
)
