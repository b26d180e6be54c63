package guest

import (
	"strings"
	"testing"

	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/router/testwait"
)

func TestLogIsLimited(t *testing.T) {
	log := new(guesttest.Log)
	g := NewLog(log.Logger(), 3, 1<<20)
	g.lines.SetLimit(0) // from now on nothing is added to the three
	for range 10 {
		g.write(0, []byte("a \"line\"\nwith \xff in it"), "m")
	}
	want := strings.Repeat(`level=INFO msg="a \"line\"\nwith � in it" message_id=m`+"\n", 3)
	if got := log.String(); got != want {
		t.Errorf("got %s", got)
	}
	if g.Dropped() != 7 {
		t.Errorf("%d lines were dropped", g.Dropped())
	}
	g.lines.SetLimit(1e9)
	testwait.Until(t, "the next line", func() bool { g.write(0, []byte("next"), ""); return strings.Contains(log.String(), "next") })
	if !strings.Contains(log.String(), "msg=next dropped_lines=") {
		t.Errorf("the log does not tell what it lacks:\n%s", log)
	}
}
