package session

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/testwait"
)

// TestPlaces: each bound refuses the one client that is over it, and lets another in
// once one has left.
func TestPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   error
	}{
		"total":   {func(c *Config) { c.MaxConnections = 2 }, ErrFull},
		"address": {func(c *Config) { c.MaxConnectionsPerAddress = 2 }, ErrAddress},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			w := start(t, cfg)
			early := w.open(t) // takes no place until it has connected
			w.connected(t, "ann@p1")
			second := w.connected(t, "ann@p1")
			early.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
			if m := early.hear(); m.Error == nil || m.Error.Code != 111 {
				t.Errorf("one that connects later is told %+v", m)
			}
			early.leave()
			if _, err := w.Admit(nil, "192.0.2.1"); err != c.want {
				t.Errorf("the third is told %v, not %v", err, c.want)
			}
			if s, err := w.Admit(nil, "192.0.2.2"); c.want == ErrAddress {
				if err != nil {
					t.Fatalf("from another address: %v", err)
				}
				s.End()
			}
			second.leave()
			w.connected(t, "ann@p1")
			if n := testutil.ToFloat64(w.Refused(name)); n == 0 {
				t.Error("no refusal is counted")
			}
		})
	}
}

func TestPlacesOfAUser(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxConnectionsPerUser = 2
	w := start(t, cfg)
	w.connected(t, "ann@p1")
	second := w.connected(t, "ann@p2")
	third := w.open(t)
	third.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	if code := third.ends(); code != 3504 {
		t.Errorf("the third ended with %d", code)
	}
	w.connected(t, "bob@p1")
	second.leave()
	w.connected(t, "ann@p1")
}

func TestStop(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.connected(t, "ann@p1")
	late, err := w.Admit(nil, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	if list := w.All(); len(list) != 1 || list[0] != c.session {
		t.Errorf("there are %v", list)
	}
	if _, err := w.Admit(nil, "192.0.2.1"); err != ErrStopping {
		t.Errorf("a new client is told %v", err)
	}
	// One that was admitted before and is ready only now.
	d := &client{t: t, session: late}
	late.Open(d, false)
	if code := d.ends(); code != 3001 {
		t.Errorf("the late one ended with %d", code)
	}
	select {
	case <-w.Stopped():
		t.Error("stopped while there is a session")
	default:
	}
	c.leave()
	testwait.Receive(t, "the end of all sessions", w.Stopped())
	w.Stop()
}

// TestEmulated: only the secret that its client was told finds a session.
func TestEmulated(t *testing.T) {
	w := start(t, DefaultConfig())
	s, err := w.Admit(nil, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, session: s, room: 1 << 20}
	s.Open(c, true)
	c.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	told := c.hear().Connect
	if found, err := w.Emulated(told.Node, told.Session); found != s || err != nil {
		t.Errorf("found %p, %v", found, err)
	}
	for _, secret := range []string{"", s.ID(), told.Session + "A"} {
		if found, err := w.Emulated(told.Node, secret); found != nil || err != nil {
			t.Errorf("%q finds %p, %v", secret, found, err)
		}
	}
	if found, err := w.Emulated("other", told.Session); found != nil || err != ErrOtherNode {
		t.Errorf("another node: %p, %v", found, err)
	}
	c.leave()
	if found, err := w.Emulated(told.Node, told.Session); found != nil || err != nil {
		t.Errorf("after its end: %p, %v", found, err)
	}
}
