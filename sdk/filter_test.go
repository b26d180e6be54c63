package sdk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"horizon-realtime/sdk"
	"horizon-realtime/sdk/sdktest"
)

// The plugin of this package's tests. What it does with an event is up to the
// test that runs.
var (
	wantedID    = sdk.Want("/payload/id")
	wantedCount = sdk.Want("/payload/a~1b/c~0d/1")
	wantedMore  = sdk.Want("/payload/more")

	handle func(e *sdk.Event)
	begin  func(config sdk.Value) error
)

func init() {
	sdk.Register(sdk.Filter{
		On: []string{"test.*", "other.event"},
		Start: func(config sdk.Value) error {
			if begin == nil {
				return nil
			}
			return begin(config)
		},
		Handle: func(e *sdk.Event) { handle(e) },
	})
}

// message makes a notification with that payload.
func message(payload string) sdktest.Notification {
	return sdktest.Notification{Project: "p1", User: "u1", Message: []byte(`{"message_id":"m1","publisher_id":"test.host","event_type":"test.made",
		"priority":"INFO","timestamp":"2026-11-23 10:00:00.123456","_context_request_id":"req-1","payload":` + payload + `}`)}
}

// send starts the plugin and sends it one event.
func send(t *testing.T, n sdktest.Notification, do func(e *sdk.Event)) sdktest.Answer {
	t.Helper()
	handle, begin = do, nil
	return sdktest.Start(t, "").Send(n)
}

func TestStandardFields(t *testing.T) {
	send(t, message(`{}`), func(e *sdk.Event) {
		got := fmt.Sprint(e.Type(), e.Publisher(), e.Priority(), e.MessageID(), e.Time(), e.Project(), e.User(), e.RequestID(), e.Now())
		want := fmt.Sprint("test.made", "test.host", "info", "m1", "2026-11-23T10:00:00.123Z", "p1", "u1", "req-1", int64(1795428000123456000))
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestOnlyAskedForEventsArrive(t *testing.T) {
	handle = func(e *sdk.Event) {}
	f := sdktest.Start(t, "")
	for eventType, want := range map[string]bool{"test.made": true, "test.": true, "other.event": true, "other.event.end": false, "tes": false} {
		n := message(`{}`)
		n.Message = []byte(strings.Replace(string(n.Message), "test.made", eventType, 1))
		if got := f.Send(n).Called; got != want {
			t.Errorf("%s: called %t, want %t", eventType, got, want)
		}
	}
}

func TestKindsAreToldApart(t *testing.T) {
	for payload, want := range map[string]struct {
		kind sdk.Kind
		text string
	}{
		`{}`:                  {sdk.KindAbsent, ""},
		`{"id":null}`:         {sdk.KindNull, ""},
		`{"id":false}`:        {sdk.KindFalse, ""},
		`{"id":true}`:         {sdk.KindTrue, ""},
		`{"id":-1.5e3}`:       {sdk.KindNumber, "-1.5e3"},
		`{"id":""}`:           {sdk.KindString, ""},
		`{"id":"\u2603 é\n"}`: {sdk.KindString, "☃ é\n"},
		`{"id":{"a": 1}}`:     {sdk.KindObject, `{"a": 1}`},
		`{"id":[1, 2]}`:       {sdk.KindArray, `[1, 2]`},
	} {
		send(t, message(payload), func(e *sdk.Event) {
			for how, v := range map[string]sdk.Value{"wanted": e.Get(wantedID), "asked for": e.Field("/payload/id")} {
				if v.Kind() != want.kind || v.Text()+v.Literal() != want.text {
					t.Errorf("%s, %s: kind %d text %q, want kind %d text %q", payload, how, v.Kind(), v.Text()+v.Literal(), want.kind, want.text)
				}
			}
		})
	}
}

func TestFieldsHaveTheirOwnPlaces(t *testing.T) {
	send(t, message(`{"id":"i","a/b":{"c~d":[1,22]},"more":true}`), func(e *sdk.Event) {
		count, _ := e.Get(wantedCount).Int()
		more, _ := e.Get(wantedMore).Bool()
		if e.Get(wantedID).Text() != "i" || count != 22 || !more {
			t.Errorf("got %q, %d, %t", e.Get(wantedID).Text(), count, more)
		}
		if e.Get(sdk.Field{}).Kind() != sdk.KindAbsent {
			t.Error("a zero Field is not absent")
		}
	})
}

func TestValuesThatDoNotFitAreFetched(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	send(t, message(`{"id":"`+long+`","a/b":{"c~d":[0,7]}}`), func(e *sdk.Event) {
		if got := e.Get(wantedID).Text(); got != long {
			t.Errorf("got %d bytes, want %d", len(got), len(long))
		}
		if n, ok := e.Get(wantedCount).Int(); n != 7 || !ok {
			t.Errorf("what comes after it: %d, %t", n, ok)
		}
		if got := e.Raw(); !strings.Contains(got, long) || !strings.HasPrefix(got, `{"message_id":"m1"`) {
			t.Errorf("the raw message has %d bytes and begins with %.20q", len(got), got)
		}
	})
}

func TestEmissions(t *testing.T) {
	a := send(t, message(`{"id":"i"}`), func(e *sdk.Event) {
		m := e.Object()
		m.String("id", e.Get(wantedID).Text())
		e.Emit(sdk.Project(e.Project(), "things"), "i", m)
		m.String("host", "h")
		e.Emit(sdk.Admin("things"), "i", m)
		e.EmitRemoved(sdk.User(e.User(), "things"), "i", e.Object())
		e.EmitText(sdk.Public("things"), "", `[1]`)
		e.Emit(sdk.Project("", "things"), "i", e.Object()) // no owner: nowhere
		e.Stop()
	})
	var got []string
	for _, e := range a.Emissions {
		got = append(got, e.String())
	}
	want := []string{
		`project/p1/things i {"id":"i"}`,
		`admin/things i {"id":"i","host":"h"}`,
		`user/u1/things i removed {}`,
		`public/things  [1]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || !a.Stopped {
		t.Errorf("stopped %t, got\n%s\nwant\n%s", a.Stopped, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNothingToSay(t *testing.T) {
	if a := send(t, message(`{}`), func(e *sdk.Event) {}); !a.Called || len(a.Emissions) != 0 || a.Stopped {
		t.Errorf("got %+v", a)
	}
}

func TestStore(t *testing.T) {
	send(t, message(`{}`), func(e *sdk.Event) {
		if v, version := e.KVGet("k"); v != "" || version != 0 {
			t.Errorf("an unknown key: %q at %d", v, version)
		}
		long := strings.Repeat("x", 5000)
		if !e.KVSwap("k", long, 0, 0) || e.KVSwap("k", "late", 0, 0) {
			t.Error("only the first may make the key")
		}
		v, version := e.KVGet("k")
		if v != long || version == 0 {
			t.Errorf("got %d bytes at %d", len(v), version)
		}
		if !e.KVSwap("k", "2", 60, version) || e.KVSwap("k", "3", 60, version) || !e.KVSet("k", "4", 60) {
			t.Error("a swap goes by the version, a set does not")
		}
		if v, _ := e.KVGet("k"); v != "4" {
			t.Errorf("got %q", v)
		}
		if !e.KVDelete("k") || e.KVDelete("k") {
			t.Error("a key is deleted once")
		}
	})
}

func TestConfiguration(t *testing.T) {
	var name string
	handle = func(e *sdk.Event) {
		// The values of an event must not overwrite the configuration's.
		e.Field("/payload/id")
		m := e.Object()
		m.String("name", name)
		e.Emit(sdk.Admin("x"), "", m)
	}
	begin = func(config sdk.Value) error {
		name = config.Member("name").Text()
		if config.Member("wrong").Known() {
			return errors.New("wrong is not a key; leave it out")
		}
		return nil
	}
	f := sdktest.Start(t, `{"list":[1,{"a":2}],"name":"caf\u00e9 \"x\""}`)
	a := f.Send(message(`{"id":"something else entirely"}`))
	if got, want := a.Emissions[0].String(), `admin/x  {"name":"café \"x\""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err := sdktest.TryStart(t, `{"wrong":1}`)
	if err == nil || err.Error() != "the plugin refuses to start: wrong is not a key; leave it out" {
		t.Errorf("got %v", err)
	}
}

func TestLog(t *testing.T) {
	a := send(t, message(`{}`), func(e *sdk.Event) { sdk.Log(sdk.Warn, "look") })
	if len(a.Log) != 1 || a.Log[0] != (sdktest.Line{Level: uint32(sdk.Warn), Text: "look"}) {
		t.Errorf("got %+v", a.Log)
	}
}

func TestLongValuesAreNotFetched(t *testing.T) {
	for length, known := range map[int]bool{10: true, 100: true, 101: false, 100_000: false} {
		text := strings.Repeat("x", length)
		send(t, message(`{"id":"`+text+`"}`), func(e *sdk.Event) {
			for how, v := range map[string]sdk.Value{"wanted": e.Within(100, wantedID), "asked for": e.FieldWithin(100, "/payload/id")} {
				if v.Known() != known || known && v.Text() != text {
					t.Errorf("%d bytes, %s: got %d bytes", length, how, len(v.Text()))
				}
			}
		})
	}
}

func TestSize(t *testing.T) {
	send(t, message(`{}`), func(e *sdk.Event) {
		o := e.Object()
		for _, text := range []string{"", "x", "\"\x01☃"} {
			inner := o.Array("list")
			inner.String(text)
			if got, want := o.Size(), len(o.Text()); got < want || got > want+1 {
				t.Errorf("got %d, and the text has %d bytes", got, want)
			}
		}
	})
}
