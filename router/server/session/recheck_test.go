package session

import (
	"testing"

	"horizon-realtime/router/auth"
)

func TestRevalidate(t *testing.T) {
	w := start(t, DefaultConfig())
	ann, bob := w.connected(t, "ann@p1"), w.connected(t, "bob@p1")
	w.people.Expire("ann")
	w.people.Expire("bob")
	w.Revalidate(func(id *auth.Identity) bool { return id.User == "ann" })
	if code := ann.endsSoon(); code != 3500 {
		t.Errorf("ann ended with %d", code)
	}
	bob.say(`{"id":2,"ping":{}}`)
	if m := bob.hear(); m.ID != 2 {
		t.Errorf("bob: %+v", m)
	}
}
