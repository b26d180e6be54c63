package plugin

import (
	"context"
	"encoding/binary"
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/sdk/abi"
)

// probeMessage has a field of every kind, and one that is larger than any
// scratch buffer.
var probeMessage = `{"payload": {"text": "Zo\u00eb \ud83d\ude00", "number": 1.50, "yes": true, "no": false, "null": null,
 "object": {"a": [1, 2]}, "list": ["x", "y"], "big": "` + strings.Repeat("b", 100_000) + `"}, "other": -1}`

// A filter written with the sdk gets from the host what the ABI promises, and
// its store is there for all workers and the next version.
func TestSDKFilterGetsWhatTheABIPromises(t *testing.T) {
	c := testConfig(t)
	settings := map[string]Settings{"probe": {Config: map[string]any{"greeting": "hello"}}}
	h, log := loggingHost(t, c, settings, "50-probe.wasm", buildGo(t, "probe"))
	workers := []*Worker{testWorker(t, h), testWorker(t, h)}
	n := notification(t, "compute.instance.update", probeMessage)
	for count := range 4 {
		var got map[string]any
		o := workers[count%2].Handle(context.Background(), n, func(e Emission) {
			if !e.Removed || string(e.Channel) != "project/"+n.Project+"/probe" || string(e.Key) != "key" {
				t.Errorf("got %+v", e)
			}
			if err := stdjson.Unmarshal(e.Payload, &got); err != nil {
				t.Error(err)
			}
		})
		if o.Called != 1 {
			t.Fatalf("got %+v; %s", o, log)
		}
		want := map[string]any{
			"standard": "compute.instance.update compute.cloud1 info 0e5b1c2d 2026-11-23T10:00:00.123Z " + n.Project + " " + n.User + " req-5b0c",
			"kinds": []any{
				float64(abi.String), float64(abi.Number), float64(abi.True), float64(abi.False), float64(abi.Null),
				float64(abi.Object), float64(abi.Array), float64(abi.Absent), float64(abi.Number), float64(abi.String), float64(abi.String),
			},
			"text": "Zoë 😀", "number": 1.5, "object": map[string]any{"a": []any{1.0, 2.0}}, "element": "y",
			"big": 100_000.0, "field": "Zoë 😀", "raw": float64(len(probeMessage)), "now": float64(n.At.UnixNano()),
			"greeting": "hello", "count": float64(count), "swapped": true, "swapped again": false,
			"set": true, "deleted": true, "deleted again": false,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	if want := `level=INFO msg="started with {\"greeting\":\"hello\"}" plugin=probe`; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, log)
	}
	settings["probe"] = Settings{Config: map[string]any{"greeting": "go away"}}
	if err := h.Reconfigure(context.Background(), settings); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Status()[0].Refused, `plugin 50-probe.wasm: hr_init returned 0: it refuses to start; look at what it logs, and at [plugin.probe] config (it said "nobody is at home")`; got != want {
		t.Errorf("got %s", got)
	}
}

func TestScratchMarksWhatDoesNotFit(t *testing.T) {
	n := notification(t, "compute.x", `{"a": "0123456789", "b": "01234", "c": {"d": null}, "e": [1,2]}`)
	n.Publisher, n.Priority, n.RequestID, n.User = "", "", "", ""
	var s subscription
	if err := s.declare("on compute.*\nwant /a\nwant /b\nwant /c/d\nwant /e\nwant /none\nwant /c/none\nwant \n"); err != nil {
		t.Fatal(err)
	}
	room := len(n.Type) + len(n.MessageID) + len(n.AtText) + len(n.Project)
	buf := make([]byte, scratchNeeds(len(s.wants))+room+10)
	writeScratch(buf, n, &s, s.room())
	var got []string
	for i := range abi.StandardFields + len(s.wants) {
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
	if wants := binary.LittleEndian.Uint32(buf[abi.HeaderCount:]); int(wants) != len(s.wants) {
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
		n.SetTime(at)
		var s subscription
		if err := s.declare("want /a\nwant /b\nwant /b/c\nwant /b/c/0\nwant \n"); err != nil {
			t.Fatal(err)
		}
		needs := scratchNeeds(len(s.wants))
		guard := make([]byte, needs+int(room)+8)
		buf := guard[: needs+int(room) : needs+int(room)]
		writeScratch(buf, n, &s, s.room())
		for i := range abi.StandardFields + len(s.wants) {
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
		var s subscription
		if s.declare(text) != nil {
			return
		}
		if len(s.patterns) > maxPatterns || len(s.wants) > maxWants {
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
			parts := make([]json.Value, len(f.places))
			parents[i] = f.find(n, parents[:i])
			parents[i].GetAll(&f.together, parts)
			for k, place := range f.places {
				if one := parents[i].Get(f.fields[k]); one != parts[k] {
					t.Fatalf("%q is %q, together with others %q", s.wants[place], one.Raw(), parts[k].Raw())
				}
				placed++
				p, err := json.ParsePointer(s.wants[place])
				if err != nil {
					t.Fatal(err)
				}
				if whole := n.Get(p); whole != parts[k] && whole.Kind()|parts[k].Kind() != json.Absent {
					t.Fatalf("%q is %q, by its parent %q", s.wants[place], whole.Raw(), parts[k].Raw())
				}
			}
		}
		if placed != len(s.wants) {
			t.Fatalf("%d of %d fields have a place", placed, len(s.wants))
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
		var s subscription
		if err := s.declare(text); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestLogIsLimited(t *testing.T) {
	c := DefaultConfig()
	c.LogLinesPerSecond, c.LogBytesPerSecond = 3, 1<<20
	log := new(logged)
	g := newGuestLog(log.logger(), "chatty", c)
	g.lines.SetLimit(0) // from now on nothing is added to the three
	for range 10 {
		g.write(0, []byte("a \"line\"\nwith \xff in it"), "m")
	}
	want := strings.Repeat(`level=INFO msg="a \"line\"\nwith � in it" plugin=chatty message_id=m`+"\n", 3)
	if got := log.String(); got != want {
		t.Errorf("got %s", got)
	}
	if g.dropped.Load() != 7 {
		t.Errorf("%d lines were dropped", g.dropped.Load())
	}
	g.lines.SetLimit(1e9)
	eventually(t, "the next line", func() bool { g.write(0, []byte("next"), ""); return strings.Contains(log.String(), "next") })
	if !strings.Contains(log.String(), "msg=next plugin=chatty dropped_lines=") {
		t.Errorf("the log does not tell what it lacks:\n%s", log)
	}
}
