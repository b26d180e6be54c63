package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPublisherClocks(t *testing.T) {
	var c publisherClocks
	say := func(publisher string, ahead time.Duration) {
		at := time.Now().Add(ahead).UTC().Format("2006-01-02 15:04:05.000000")
		c.heard(fmt.Appendf(nil, `{"event_type":"x","publisher_id":%q,"timestamp":%q,"payload":{}}`, publisher, at), "")
	}
	if got := c.wrong(); got != nil {
		t.Fatalf("nobody was heard: %q", got)
	}
	say("compute.a", 600*time.Second)
	say("compute.b", 0)
	say("compute.c", -time.Hour)
	say("compute.d", time.Hour)
	say("compute.d", -time.Second) // mended meanwhile
	c.heard([]byte("no notification"), "")
	c.heard([]byte(`{"event_type":"x","publisher_id":"e","timestamp":"yesterday"}`), "")
	got := c.wrong()
	if len(got) != 2 || !strings.HasPrefix(got[0], `that of "compute.a" is 10m0s ahead of this machine's; look after`) ||
		!strings.HasPrefix(got[1], `that of "compute.c" is 1h0m0s behind this machine's`) {
		t.Fatalf("%q", got)
	}
	say("compute.b", time.Hour)
	say("compute.d", time.Hour)
	if got := c.wrong(); len(got) != 1 || !strings.HasPrefix(got[0], "those of all 4 publishers that were heard differ") {
		t.Fatalf("%q", got)
	}
	say("right", 0)
	for i := range 30 {
		say(fmt.Sprint("other.", i), time.Hour)
	}
	if got := c.wrong(); len(got) != 21 || got[20] != "and 14 more" {
		t.Fatalf("%q", got)
	}
}
