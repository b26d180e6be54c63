package guest

import (
	"encoding/binary"
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
)

// probeMessage has a field of every kind, and one that is larger than any
// scratch buffer.
var probeMessage = `{"payload": {"text": "Zo\u00eb \ud83d\ude00", "number": 1.50, "yes": true, "no": false, "null": null,
 "object": {"a": [1, 2]}, "list": ["x", "y"], "big": "` + strings.Repeat("b", 100_000) + `"}, "other": -1}`

// A guest written with the sdk gets from the host what the ABI promises, and all
// instances share a store.
func TestSDKGuestGetsWhatTheABIPromises(t *testing.T) {
	m := compile(t, guesttest.BuildGo(t, "probe"))
	env, log := testEnv("probe")
	env.Config = []byte(`{"greeting":"hello"}`)
	instances := []*Instance{start(t, m, env), start(t, m, env)}
	n := guesttest.Notification(t, "compute.instance.update", probeMessage)
	for count := range 4 {
		in := instances[count%2]
		if fault := in.Handle(n); fault != nil {
			t.Fatal(fault, log)
		}
		if len(in.Result().Emissions) != 1 {
			t.Fatalf("got %+v", in.Result())
		}
		e := in.Result().Emissions[0]
		if !e.Removed || string(e.Channel) != "project/"+n.Project+"/probe" || string(e.Key) != "key" {
			t.Errorf("got %+v", e)
		}
		var got map[string]any
		if err := stdjson.Unmarshal(e.Payload, &got); err != nil {
			t.Error(err)
		}
		want := map[string]any{
			"standard": "compute.instance.update compute.cloud1 info 0e5b1c2d 2026-11-23T10:00:00.123Z " + n.Project + " " + n.User + " req-5b0c",
			"kinds": []any{
				float64(abi.String), float64(abi.Number), float64(abi.True), float64(abi.False), float64(abi.Null),
				float64(abi.Object), float64(abi.Array), float64(abi.Absent), float64(abi.Number), float64(abi.String), float64(abi.String),
			},
			"text": "Zoë 😀", "number": 1.5, "object": map[string]any{"a": []any{1.0, 2.0}}, "element": "y",
			"big": 100_000.0, "field": "Zoë 😀", "raw": float64(len(probeMessage)), "now": fmt.Sprint(n.At.UnixNano()),
			"greeting": "hello", "count": float64(count), "swapped": true, "swapped again": false,
			"set": true, "deleted": true, "deleted again": false,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if !in.Wrote() {
			t.Error("the call is said not to have written")
		}
	}
	if want := `level=INFO msg="started with {\"greeting\":\"hello\"}"`; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, log)
	}
	env.Config = []byte(`{"greeting":"go away"}`)
	_, err := m.Start(env)
	if want := `hr_init returned 0: it refuses to start; look at what it logs, and at [plugin.probe] config (it said "nobody is at home")`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestScratchMarksWhatDoesNotFit(t *testing.T) {
	n := guesttest.Notification(t, "compute.x", `{"a": "0123456789", "b": "01234", "c": {"d": null}, "e": [1,2]}`)
	n.Publisher, n.Priority, n.RequestID, n.User = "", "", "", ""
	var s Subscription
	if err := s.declare("on compute.*\nwant /a\nwant /b\nwant /c/d\nwant /e\nwant /none\nwant /c/none\nwant \n"); err != nil {
		t.Fatal(err)
	}
	room := len(n.Type) + len(n.MessageID) + len(n.AtText) + len(n.Project)
	buf := make([]byte, scratchNeeds(len(s.Wants))+room+10)
	writeScratch(buf, n, &s, s.room())
	var got []string
	for i := range abi.StandardFields + len(s.Wants) {
		at := abi.HeaderSize + i*abi.EntrySize
		offset, word := binary.LittleEndian.Uint32(buf[at:]), binary.LittleEndian.Uint32(buf[at+4:])
		kind, length := word>>abi.LengthBits, word&abi.LengthMask
		text := fmt.Sprintf("%d ", kind)
		if kind == abi.TooBig {
			text += fmt.Sprint(length)
		} else {
			text += string(buf[offset : offset+length])
		}
		got = append(got, text)
	}
	want := []string{
		"5 compute.x", "0 ", "0 ", "5 0e5b1c2d", "5 2026-11-23T10:00:00.123Z", "5 " + n.Project, "0 ", "0 ",
		"5 0123456789", "8 5", "1 ", "8 5", "0 ", "0 ", fmt.Sprintf("8 %d", len(n.Root().AppendTo(nil))),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if length := binary.LittleEndian.Uint32(buf[abi.HeaderLength:]); int(length) != len(buf) {
		t.Errorf("the block's length is %d of %d", length, len(buf))
	}
	if wants := binary.LittleEndian.Uint32(buf[abi.HeaderCount:]); int(wants) != len(s.Wants) {
		t.Errorf("the header counts %d wanted fields", wants)
	}
}

func FuzzScratch(f *testing.F) {
	f.Add([]byte(`{"a": "\u0041", "b": {"c": [1, true, null]}}`), uint16(0), "compute.x")
	f.Add([]byte(`{"a": 1, "b": "xyz"}`), uint16(7), "")
	f.Fuzz(func(t *testing.T, text []byte, room uint16, eventType string) {
		n := new(event.Notification)
		if n.Load(text) != nil {
			return
		}
		n.Type = eventType
		n.SetTime(guesttest.At)
		var s Subscription
		if err := s.declare("want /a\nwant /b\nwant /b/c\nwant /b/c/0\nwant \n"); err != nil {
			t.Fatal(err)
		}
		needs := scratchNeeds(len(s.Wants))
		guard := make([]byte, needs+int(room)+8)
		buf := guard[: needs+int(room) : needs+int(room)]
		writeScratch(buf, n, &s, s.room())
		for i := range abi.StandardFields + len(s.Wants) {
			at := abi.HeaderSize + i*abi.EntrySize
			offset, word := binary.LittleEndian.Uint32(buf[at:]), binary.LittleEndian.Uint32(buf[at+4:])
			if word>>abi.LengthBits != abi.TooBig && int(offset)+int(word&abi.LengthMask) > len(buf) {
				t.Fatalf("field %d ends past the buffer", i)
			}
		}
		if string(guard[len(buf):]) != string(make([]byte, 8)) {
			t.Fatal("something is written behind the buffer")
		}
	})
}

func FuzzSubscription(f *testing.F) {
	f.Add("on compute.*\nwant /payload/id\n")
	f.Add("on *\nwant \nwant /a~1b/0")
	f.Add("want /payload/a/1/b\nwant /payload/a/0\nwant /payload/a/1/c\nwant /pay/a\nwant /payload/b\nwant /payload")
	f.Fuzz(func(t *testing.T, text string) {
		var s Subscription
		if s.declare(text) != nil {
			return
		}
		if len(s.Patterns) > maxPatterns || len(s.Wants) > maxWants {
			t.Fatal("over the limits")
		}
		n := new(event.Notification)
		if err := n.Load([]byte(`{"payload": {"a": [1, {"b": "c"}]}}`)); err != nil {
			t.Fatal(err)
		}
		placed := 0
		parents := make([]json.Value, len(s.families))
		for i := range s.families {
			f := &s.families[i]
			parents[i] = f.find(n, parents[:i])
			for k, place := range f.places {
				placed++
				p, err := json.ParsePointer(s.Wants[place])
				if err != nil {
					t.Fatal(err)
				}
				one := parents[i].Get(f.fields[k])
				if whole := n.Get(p); whole != one && whole.Kind()|one.Kind() != json.Absent {
					t.Fatalf("%q is %q, by its parent %q", s.Wants[place], whole.Raw(), one.Raw())
				}
			}
		}
		if placed != len(s.Wants) {
			t.Fatalf("%d of %d fields have a place", placed, len(s.Wants))
		}
	})
}

func TestSubscriptionRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"on \n":                          "an event type has 1 to 128 bytes, not 0",
		"on " + strings.Repeat("a", 129): "an event type has 1 to 128 bytes, not 129",
		"on a*b":                         `bad event type "a*b": printable ASCII without spaces, a * only at the end`,
		"on a b":                         `bad event type "a b": printable ASCII without spaces, a * only at the end`,
		"want a":                         `bad JSON pointer "a": it starts with a slash`,
		"off":                            `the line "off" starts neither with "on " nor with "want "`,
		strings.Repeat("on a\n", 65):     "more than 64 event types; use patterns that end in *",
		strings.Repeat("want /a\n", 65):  "more than 64 wanted fields; read the rare ones with field",
	} {
		var s Subscription
		if err := s.declare(text); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
