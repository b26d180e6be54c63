package event

import (
	"time"
	"unsafe"

	"horizon-realtime/router/json"
)

// TimeLayout is how AtText is written: RFC 3339, UTC, with milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// keepBytes is the largest buffer that a Reset keeps. Notifications have 3 kB, the
// longest seen three times as much; the rare one of megabytes gives its memory back.
const keepBytes = 256 << 10

// Notification is what one message of a service says. The zero value is empty;
// a decoder fills it, and fills it again for the next message, allocating
// nothing. Its strings alias its buffer: they are valid until Reset, and what is
// kept longer is copied (strings.Clone). One goroutine at a time may use it. Do
// not copy it.
type Notification struct {
	// Document is the inner object, with its secrets removed.
	json.Document
	// Type is the event type, such as `compute.instance.update`.
	Type string
	// Publisher is the service and its host: `compute.cloud1`, or in nova's
	// versioned notifications `nova-compute:cloud1`.
	Publisher string
	// Priority is lower case: audit, debug, info, warn, error, critical, sample.
	Priority string
	// MessageID is the publisher's own, the same when it sends again.
	MessageID string
	// RequestID is the API request behind it, empty if there was none.
	RequestID string
	// Project and User own the resource, and Resource is its id. Each is
	// empty if the message does not say so. They come from the payload,
	// never from the context, which is about who acted.
	Project, User, Resource string
	// At is when the publisher sent it, in UTC, and AtText the same as
	// TimeLayout has it.
	At     time.Time
	AtText string
	// Skew is how much later than its arrival a live notification says that it was
	// sent: less than zero, unless the publisher's clock is ahead of ours. It is 0
	// if that is not known.
	Skew time.Duration

	buf   []byte
	extra []byte
	at    [len(TimeLayout)]byte
}

// Reset empties the notification and keeps its memory, unless that has grown
// far beyond what a notification takes.
func (n *Notification) Reset() {
	n.Type, n.Publisher, n.Priority, n.MessageID, n.RequestID = "", "", "", "", ""
	n.Project, n.User, n.Resource, n.AtText = "", "", "", ""
	n.At, n.Skew = time.Time{}, 0
	n.Document.Reset()
	n.buf, n.extra = n.buf[:0], n.extra[:0]
	if cap(n.buf) > keepBytes {
		n.buf = nil
	}
	if cap(n.extra) > keepBytes {
		n.extra = nil
	}
}

// Buffer lends the decoder the notification's memory, empty, to append the text
// to that it then gives to Load.
func (n *Notification) Buffer() []byte { return n.buf[:0] }

// Load takes text as the notification's buffer and parses it. The notification
// owns the text from then on.
//
// # Errors
//
// Those of json.Document.Parse.
func (n *Notification) Load(text []byte) error {
	n.buf = text
	return n.Parse(text)
}

// LoadQuoted is Load for an object that stands in another text as a JSON string:
// quoted begins behind that string's opening quote, and rest with its closing one. The
// notification parses a copy. If ok is false, its content is gone, and Load has to
// do it.
func (n *Notification) LoadQuoted(quoted []byte) (rest []byte, ok bool) {
	n.buf = append(n.buf[:0], quoted...)
	end, ok := n.ParseQuoted(n.buf)
	if !ok {
		return nil, false
	}
	return quoted[end:], true
}

// Keep gives a string value as one that lives as long as the notification's
// content, without a copy if it has no escapes. Empty unless v is a string.
func (n *Notification) Keep(v json.Value) string {
	if text, ok := v.Plain(); ok {
		return unsafe.String(unsafe.SliceData(text), len(text))
	}
	if v.Kind() != json.String {
		return ""
	}
	from := len(n.extra)
	n.extra = v.AppendTo(n.extra)
	text := n.extra[from:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// SetTime sets At and AtText.
func (n *Notification) SetTime(at time.Time) {
	n.At = at.UTC()
	writeTime(&n.at, n.At)
	n.AtText = unsafe.String(&n.at[0], len(n.at))
}

// writeTime is at.AppendFormat(text[:0], TimeLayout), for a year of four digits, in a
// fifth of its time.
func writeTime(text *[len(TimeLayout)]byte, at time.Time) {
	copy(text[:], TimeLayout)
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	millis := at.Nanosecond() / 1e6
	for _, part := range [...]struct{ value, end int }{
		{year / 100, 2}, {year % 100, 4}, {int(month), 7}, {day, 10},
		{hour, 13}, {minute, 16}, {second, 19}, {millis / 10, 22}, {millis % 10 * 10, 24},
	} {
		text[part.end-2], text[part.end-1] = '0'+byte(part.value/10), '0'+byte(part.value%10)
	}
	text[len(text)-1] = 'Z'
}
