package session

import (
	"testing"
	"time"

	"horizon-realtime/router/auth"
)

func TestRevalidate(t *testing.T) {
	w := start(t, DefaultConfig())
	ann, bob := w.connected(t, "ann@p1"), w.connected(t, "bob@p1")
	w.people.Expire("ann")
	w.people.Expire("bob")
	w.Revalidate(func(id *auth.Identity) bool { return id.User == "ann" }, time.Now())
	if code := ann.endsSoon(); code != 3500 {
		t.Errorf("ann ended with %d", code)
	}
	bob.say(`{"id":2,"ping":{}}`)
	if m := bob.hear(); m.ID != 2 {
		t.Errorf("bob: %+v", m)
	}
}

// A revocation that comes while a token is being checked is not lost, whichever
// way the token came.
func TestRevocationDuringACheck(t *testing.T) {
	everybody := func(*auth.Identity) bool { return true }
	for name, check := range map[string]func(w *world) *client{
		"connect": func(w *world) *client { return w.connected(t, "ann@p1") },
		"refresh": func(w *world) *client {
			c := w.connected(t, "ann@p1")
			w.people.Meanwhile(func() { w.Revalidate(everybody, time.Now()) })
			c.say(`{"id":2,"refresh":{"token":"ann@p1/1h"}}`)
			c.hear()
			return c
		},
		"check": func(w *world) *client {
			c := w.connected(t, "ann@p1")
			w.people.Meanwhile(func() { w.Revalidate(everybody, time.Now()) })
			c.session.check()
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, DefaultConfig())
			w.people.Meanwhile(func() { w.Revalidate(everybody, time.Now()) })
			c := check(w)
			w.people.Meanwhile(nil)
			w.people.Expire("ann")
			if code := c.endsSoon(); code != 3500 {
				t.Errorf("ended with %d", code)
			}
		})
	}
}

// A revocation for later is kept until then.
func TestRevocationForLater(t *testing.T) {
	w := start(t, DefaultConfig())
	ann := w.connected(t, "ann@p1")
	w.people.Expire("ann")
	w.Revalidate(func(*auth.Identity) bool { return true }, time.Now().Add(5*time.Second))
	w.Revalidate(func(*auth.Identity) bool { return true }, time.Now().Add(9*time.Second))
	ann.session.mu.Lock()
	due := time.Until(ann.session.recheckAt.time())
	ann.session.mu.Unlock()
	if due > 5*time.Second {
		t.Errorf("checked in %s", due)
	}
	w.at(6 * time.Second)
	if code := ann.endsSoon(); code != 3500 {
		t.Errorf("ended with %d", code)
	}
}
