package sdktest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"horizon-realtime/sdk/abi"
	"horizon-realtime/sdk/internal/native"
)

// Notification is a message and who owns what it is about.
type Notification struct {
	// Message is the inner object of oslo.messaging's envelope, as JSON.
	Message json.RawMessage
	// Project and User are the owners' ids, empty if there is none.
	Project, User string
}

// Emission is what a plugin had published.
type Emission struct {
	Channel string          `json:"channel"`
	Key     string          `json:"key"`
	Removed bool            `json:"removed,omitempty"`
	Payload json.RawMessage `json:"payload"`
}

// Answer is what a plugin made of one notification.
type Answer struct {
	// Called reports whether the plugin asked for this event type at all.
	Called    bool
	Emissions []Emission
	Stopped   bool
	// Log are the lines it logged.
	Log []Line
}

// Line is a line that a plugin logged, at one of package sdk's levels.
type Line struct {
	Level uint32
	Text  string
}

// Filter is the plugin that the tested package registers, started. One at a
// time is started, and not used concurrently.
type Filter struct {
	t       testing.TB
	router  *router
	scratch []byte
}

// Start starts the plugin with a configuration, a JSON object; "" is an empty
// one. A plugin that does not start fails the test.
func Start(t testing.TB, config string) *Filter {
	t.Helper()
	f, err := TryStart(t, config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TryStart is Start for a plugin that may refuse.
//
// # Errors
//
// What the plugin logged as it refused.
func TryStart(t testing.TB, config string) (*Filter, error) {
	if native.Start == nil {
		return nil, fmt.Errorf("the tested package does not import horizon-realtime/sdk")
	}
	if config == "" {
		config = "{}"
	}
	f := &Filter{t: t, router: &router{config: []byte(config), store: make(map[string]entry)}}
	native.Router = f.router
	f.scratch = native.Start()
	if f.scratch == nil {
		var lines []string
		for _, line := range f.router.log {
			lines = append(lines, line.Text)
		}
		return nil, fmt.Errorf("the plugin refuses to start: %s", strings.Join(lines, "; "))
	}
	return f, nil
}

// Send hands the plugin one notification.
func (f *Filter) Send(n Notification) Answer {
	f.t.Helper()
	var standard struct {
		Type      string `json:"event_type"`
		Publisher string `json:"publisher_id"`
		Priority  string `json:"priority"`
		MessageID string `json:"message_id"`
		Timestamp string `json:"timestamp"`
	}
	if err := json.Unmarshal(n.Message, &standard); err != nil {
		f.t.Fatalf("read the notification: %v", err)
	}
	if !f.router.matches(standard.Type) {
		return Answer{}
	}
	at, err := time.Parse("2006-01-02 15:04:05.999999", standard.Timestamp)
	if err != nil {
		f.t.Fatalf("read the notification's timestamp: %v", err)
	}
	if !bytes.Equal(n.Message, f.router.message.text) {
		f.router.message = document{text: n.Message}
	}
	f.router.at, f.router.log = at, nil
	native.Router = f.router
	f.fill([abi.StandardFields]string{
		abi.FieldEventType: standard.Type, abi.FieldPublisher: standard.Publisher,
		abi.FieldPriority: strings.ToLower(standard.Priority), abi.FieldMessageID: standard.MessageID,
		abi.FieldTimestamp: at.Format("2006-01-02T15:04:05.000Z"),
		abi.FieldProject:   n.Project, abi.FieldUser: n.User, abi.FieldRequestID: requestID(&f.router.message),
	})
	a := Answer{Called: true}
	if err := a.decode(native.Handle()); err != nil {
		f.t.Fatalf("the plugin's result: %v", err)
	}
	a.Log = f.router.log
	return a
}

// requestID is found where services put it.
func requestID(message *document) string {
	for _, pointer := range []string{"/_context_request_id", "/payload/request_id",
		"/payload/nova_object.data/request_id", "/payload/initiator/request_id"} {
		if kind, text := value(message.find(pointer)); kind == abi.String && len(text) > 0 {
			return string(text)
		}
	}
	return ""
}

// fill writes the scratch block.
func (f *Filter) fill(standard [abi.StandardFields]string) {
	b := f.scratch
	end := abi.HeaderSize + (abi.StandardFields+len(f.router.wants))*abi.EntrySize
	entry := abi.HeaderSize
	put := func(kind uint32, text []byte) {
		length := uint32(len(text))
		if len(text) > len(b)-end {
			kind, text = abi.TooBig, nil
		}
		binary.LittleEndian.PutUint32(b[entry:], uint32(end))
		binary.LittleEndian.PutUint32(b[entry+4:], kind<<abi.LengthBits|length)
		entry += abi.EntrySize
		end += copy(b[end:], text)
	}
	for _, text := range standard {
		if text == "" {
			put(abi.Absent, nil)
			continue
		}
		put(abi.String, []byte(text))
	}
	for _, pointer := range f.router.wants {
		put(value(f.router.message.find(pointer)))
	}
	binary.LittleEndian.PutUint32(b[abi.HeaderLength:], uint32(end))
	binary.LittleEndian.PutUint32(b[abi.HeaderCount:], uint32(len(f.router.wants)))
}

// decode reads a result block as strictly as the router does.
func (a *Answer) decode(block []byte) error {
	for len(block) > 0 {
		if len(block) < abi.RecordHeader {
			return fmt.Errorf("it ends in a record's header")
		}
		tag, length := binary.LittleEndian.Uint32(block), int(binary.LittleEndian.Uint32(block[4:]))
		block = block[abi.RecordHeader:]
		if length > len(block) {
			return fmt.Errorf("a record goes past its end")
		}
		switch tag {
		case abi.TagEmit:
			if err := a.emission(block[:length]); err != nil {
				return err
			}
		case abi.TagStop:
			a.Stopped = true
		}
		block = block[length:]
	}
	return nil
}

func (a *Answer) emission(body []byte) error {
	if len(body) < abi.EmitHeader {
		return fmt.Errorf("an emission without a header")
	}
	channel, key := int(binary.LittleEndian.Uint16(body)), int(binary.LittleEndian.Uint16(body[2:]))
	flags, body := binary.LittleEndian.Uint32(body[4:]), body[abi.EmitHeader:]
	if channel+key > len(body) {
		return fmt.Errorf("an emission whose names go past its end")
	}
	e := Emission{
		Channel: string(body[:channel]), Key: string(body[channel : channel+key]),
		Removed: flags&abi.EmitRemoved != 0,
		Payload: bytes.Clone(body[channel+key:]),
	}
	switch {
	case !json.Valid(e.Payload) || !utf8.Valid(e.Payload) || bytes.ContainsAny(e.Payload, "\n\r"):
		return fmt.Errorf("the payload for %s is not one line of JSON: %q", e.Channel, e.Payload)
	case !utf8.ValidString(e.Channel) || !utf8.ValidString(e.Key):
		return fmt.Errorf("the channel %q or the key %q is no UTF-8", e.Channel, e.Key)
	}
	a.Emissions = append(a.Emissions, e)
	return nil
}
