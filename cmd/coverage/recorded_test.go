package main

import (
	"bufio"
	"compress/gzip"
	"os"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/rabbit"
)

// recording is what the services of a real OpenStack said while it was used.
const recording = root + "/cmd/horizon-realtime/e2e/testdata/recorded.jsonl.gz"

// recorded are the messages of the recording, in order.
func recorded(t *testing.T) (messages [][]byte) {
	t.Helper()
	packed, err := os.Open(recording)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r, err := rabbit.ParseRecorded(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, []byte(r.Body))
	}
	if lines.Err() != nil || len(messages) != 1729 {
		t.Fatalf("the recording has %d messages: %v", len(messages), lines.Err())
	}
	return messages
}

// Everything that was recorded is either ignored, and then no panel is told, or
// makes of the plugins of panels what a golden case of that event says: messages
// to the same topics, of the same kind and action, with no other columns.
func TestEveryRecordedNotificationIsAsItsCaseSays(t *testing.T) {
	s, cases, plugins := tables(t)
	shapes, known := map[string][]string{}, map[string]bool{}
	for _, c := range cases {
		var of []string
		for _, e := range c.Emissions {
			of = append(of, shape(e))
			for _, column := range columns(e) {
				known[c.plugin+" "+c.event+" "+column] = true
			}
		}
		key := c.plugin + " " + c.event
		shapes[key] = append(shapes[key], strings.Join(of, ", "))
	}
	told, ignored := 0, 0
	for _, message := range recorded(t) {
		n, all, ok := plugins.send(t, message)
		if !ok {
			t.Fatalf("the router does not take %s", message)
		}
		if !s.known(n.Type) {
			t.Errorf("services.toml does not know of %s", n.Type)
		}
		of := map[string][]string{}
		for _, e := range all {
			if crossing[e.plugin] {
				continue
			}
			of[e.plugin] = append(of[e.plugin], shape(e.Emission))
			for _, column := range columns(e.Emission) {
				if !known[e.plugin+" "+n.Type+" "+column] {
					t.Errorf("%s tells %s of %s, and no golden case says so", e.plugin, column, n.Type)
				}
			}
		}
		if s.ignores(n.Type) != "" {
			ignored++
			if len(of) > 0 {
				t.Errorf("%s is ignored, but made %v", n.Type, of)
			}
			continue
		}
		told++
		status := plugins.host.Status()
		for i := range status {
			f := &status[i]
			if crossing[f.Name] || !asks(f, n.Type) {
				continue
			}
			got, want := strings.Join(of[f.Name], ", "), shapes[f.Name+" "+n.Type]
			if !slices.Contains(want, got) {
				t.Errorf("%s makes of %s (message %s)\n  %q, but the golden cases have\n  %q", f.Name, n.Type, n.MessageID, got, want)
			}
		}
	}
	t.Logf("%d notifications are as their cases say, %d are ignored", told, ignored)
}
