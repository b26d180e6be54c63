// Package panel is what the stock plugins have in common; each has it compiled in.
// It reads a notification within bounds (Event), says whether anything was done at
// all (news), and writes the panel message: the one shape that tells browsers that
// a row of a table has changed, whatever service and format it comes from.
//
//	{"v":1, "event":"compute.instance.update", "kind":"server", "action":"update",
//	 "id":"…", "name":"…", "project_id":"…", "user_id":"…", "status":"ACTIVE", "task":null,
//	 "error":null, "at":"2026-11-23T10:00:00.123Z", "request_id":"req-…",
//	 "data":{ the columns that the panel shows }}
//
// A notification rarely knows everything. What it does not know is left out, and
// a panel keeps what it had; what is known to be nothing is null.
package panel

import "horizon-realtime/sdk"

// version is the shape's.
const version = 1

// Action is what happened to the resource.
type Action string

// The actions. After Delete, only Create brings the id back.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
)

// Message is what is the same for all services. Of the values, an absent one is
// left out of the message.
type Message struct {
	// Topic is the channel's last segment, such as `instances`.
	Topic string
	// Kind is what the resource is, such as `server`.
	Kind   string
	Action Action
	// ID is the resource's, and the emission's key.
	ID   string
	Name sdk.Value
	// Status is the one that the service's API gives, which is what Horizon
	// shows: not the service's inner state.
	Status sdk.Value
	// Task is what is being done to it, null if nothing is.
	Task sdk.Value
	// Error is a sentence that the owner may read, null where all is well.
	Error sdk.Value
}

// Draft is a message being written.
type Draft struct {
	event   *Event
	message *Message
	key     string
	root    sdk.ObjectBuilder
	// Data is where the columns go, those for everybody before ToProject, those
	// for admins between it and ToAdmin.
	Data Columns
}

// Columns are the data of a message. What there is no room for is left out, so that
// a panel keeps what it had, or asks for it.
type Columns struct {
	sdk.ObjectBuilder
	// room is for how many bytes there still is some, at the worst: those of a
	// text may each take six in JSON, those of JSON written anew three.
	room int
}

// Value adds a column as it was in the message, and none if it is absent.
func (c *Columns) Value(key string, v sdk.Value) { c.add(maxColumn, key, v) }

// List adds a column that may be long because only services and admins write it,
// such as the hosts of an aggregate.
func (c *Columns) List(key string, v sdk.Value) { c.add(maxList, key, v) }

func (c *Columns) add(limit int, key string, v sdk.Value) {
	size := v.Len()
	most := 6 * size
	if v.Kind() != sdk.KindString {
		most = 3 * size
	}
	if size <= limit && most <= c.room {
		c.room -= most
		c.ObjectBuilder.Value(key, v)
	}
}

// Begin writes what is the same for all services.
func Begin(e *Event, m *Message) Draft {
	o := e.Object()
	o.Int("v", version)
	o.String("event", e.Type())
	o.String("kind", m.Kind)
	o.String("action", string(m.Action))
	o.String("id", m.ID)
	o.Value("name", Name(m.Name))
	o.StringOrNull("project_id", e.Project())
	o.StringOrNull("user_id", e.User())
	o.Value("status", within(maxWord, m.Status))
	o.Value("task", within(maxWord, m.Task))
	o.Value("error", within(maxWord, m.Error))
	o.String("at", e.Time())
	o.StringOrNull("request_id", e.RequestID())
	return Draft{e, m, Key(m.ID), o, Columns{o.Object("data"), maxColumns}}
}

// ToProject sends what has been written to the project that owns the resource.
func (d *Draft) ToProject() { d.To(sdk.Project(d.event.Project(), d.message.Topic)) }

// ToUser sends what has been written to the user who owns the resource.
func (d *Draft) ToUser() { d.To(sdk.User(d.event.User(), d.message.Topic)) }

// ToAdmin sends what has been written to admins.
func (d *Draft) ToAdmin() {
	if toAdmins {
		d.To(sdk.Admin(d.message.Topic))
	}
}

// To sends what has been written to a channel of the plugin's choice.
func (d *Draft) To(to sdk.Channel) {
	if len(d.message.ID) > maxName || !d.event.fits(d.root.Size()) {
		return
	}
	if d.message.Action == Delete {
		d.event.EmitRemoved(to, d.key, d.root)
		return
	}
	d.event.Emit(to, d.key, d.root)
}

// TextOrNull makes an empty string null: nova's legacy notifications and cinder
// have no null.
func TextOrNull(v sdk.Value) sdk.Value {
	if v.Kind() == sdk.KindString && v.Text() == "" {
		return sdk.NullValue()
	}
	return v
}

// Time adds a time to the second as `2006-01-02T15:04:05Z`, however the service
// spells it: nova, cinder and glance each have two ways, always in UTC. An empty
// one is null.
func Time(o *Columns, key string, v sdk.Value) {
	text := v.Text()
	if len(text) < len("2006-01-02T15:04:05") || text[4] != '-' || text[13] != ':' || !utc(text[19:]) {
		o.Value(key, TextOrNull(v))
		return
	}
	var b [20]byte
	copy(b[:], text[:19])
	b[10], b[19] = 'T', 'Z'
	o.String(key, string(b[:]))
}

// utc reports whether what follows the seconds is a fraction, and no other zone.
func utc(rest string) bool {
	if rest != "" && rest[0] == '.' {
		rest = rest[1:]
		for rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			rest = rest[1:]
		}
	}
	return rest == "" || rest == "Z" || rest == "+00:00"
}

// Upper is a word of ASCII in capitals. Package strings would bring the tables of
// Unicode along.
func Upper(word string) string {
	letters := []byte(word)
	for i, c := range letters {
		if 'a' <= c && c <= 'z' {
			letters[i] = c - ('a' - 'A')
		}
	}
	return string(letters)
}

// maxError is how long an error may be, in bytes; nova's API cuts it there too.
const maxError = 255

// Sentence is the first line of a text, of the length that a row has room for.
func Sentence(text string) string {
	end := 0
	for end < len(text) && end < maxError && text[end] != '\n' {
		end++
	}
	for end < len(text) && end > 0 && text[end]&0xC0 == 0x80 { // not within a character
		end--
	}
	for end > 0 && text[end-1] == ' ' {
		end--
	}
	return text[:end]
}
