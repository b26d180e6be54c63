package event

import (
	"bytes"
	"testing"
	"time"

	"horizon-realtime/router/json"
)

func TestNotificationKeepsWithoutCopying(t *testing.T) {
	var n Notification
	at := time.Date(2026, 11, 23, 16, 0, 0, 123456789, time.FixedZone("", 3600))
	work := func() {
		n.Reset()
		if err := n.Load(append(n.Buffer(), `{"a":"plain","b":"esc\u00e4ped","c":"z\u00fcrich","d":5}`...)); err != nil {
			t.Fatal(err)
		}
		root := n.Root()
		n.Type, n.Project, n.User = n.Keep(root.Member("a")), n.Keep(root.Member("b")), n.Keep(root.Member("c"))
		n.Resource = n.Keep(root.Member("d"))
		n.SetTime(at)
	}
	work()
	if n.Type != "plain" || n.Project != "escäped" || n.User != "zürich" || n.Resource != "" {
		t.Errorf("got %q %q %q %q", n.Type, n.Project, n.User, n.Resource)
	}
	if n.AtText != "2026-11-23T15:00:00.123Z" || n.At.Location() != time.UTC {
		t.Errorf("got %s, %s", n.AtText, n.At)
	}
	if allocs := testing.AllocsPerRun(100, work); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestNotificationReset(t *testing.T) {
	var n Notification
	if err := n.Load(append(n.Buffer(), `{"a":"b"}`...)); err != nil {
		t.Fatal(err)
	}
	n.Type, n.Project, n.AtText = "a", "b", "c"
	n.Reset()
	if n.Type != "" || n.Project != "" || n.AtText != "" || n.Raw() != nil || n.Root().Kind() != json.Absent {
		t.Errorf("something is left: %+v", &n)
	}
	huge := append(n.Buffer(), '"')
	huge = append(append(huge, bytes.Repeat([]byte("x"), keepBytes)...), '"')
	if err := n.Load(huge); err != nil {
		t.Fatal(err)
	}
	n.Reset()
	if cap(n.Buffer()) != 0 {
		t.Errorf("kept %d bytes", cap(n.Buffer()))
	}
}

func TestWriteTime(t *testing.T) {
	for _, text := range []string{"2026-11-23T15:04:05.678Z", "2010-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2024-02-29T10:20:30.009Z"} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		var n Notification
		n.SetTime(at.Add(999 * time.Microsecond))
		if n.AtText != text || n.At.Format(TimeLayout) != text {
			t.Errorf("%s is written as %s", text, n.AtText)
		}
	}
}
