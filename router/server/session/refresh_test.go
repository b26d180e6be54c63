package session

import (
	"testing"
	"time"

	"horizon-realtime/router/auth"
)

func TestRefreshProlongs(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.open(t)
	c.say(`{"id":1,"connect":{"token":"ann@p1/100s"}}`)
	if m := c.hear(); !m.Connect.Expires || m.Connect.TTL < 70 || m.Connect.TTL > 75 {
		t.Fatalf("connect: %+v", m.Connect)
	}
	c.say(`{"id":2,"refresh":{"token":"ann@p1/1000s"}}`)
	if m := c.hear(); !m.Refresh.Expires || m.Refresh.TTL < 960 || m.Refresh.TTL > 970 {
		t.Fatalf("refresh: %+v", m.Refresh)
	}
	w.at(200 * time.Second) // past the first token
	c.say(`{}`, `{"id":3,"sub_refresh":{"channel":"x"}}`)
	for {
		if m := c.hear(); m.ID == 3 {
			break
		}
	}
	w.turnTo(1001 * time.Second)
	if code := c.ends(); code != 3005 && code != 3012 {
		t.Errorf("ended with %d", code)
	}
}

func TestNarrowedRefreshClosesChannels(t *testing.T) {
	w := start(t, DefaultConfig())
	c := w.connected(t, "root@p1")
	c.subscribe("admin/hypervisors")
	c.subscribe("project/p1/a")
	c.session.commands.Lock()
	c.session.become(&auth.Identity{User: "root", Project: "p1"})
	c.session.commands.Unlock()
	if m := c.hear(); m.Push.Channel != "admin/hypervisors" || m.Push.Unsubscribe.Code != 2000 {
		t.Fatalf("%+v", m.Push)
	}
	w.hub.Say(t, "admin/hypervisors", `1`)
	w.hub.Say(t, "project/p1/a", `2`)
	if m := c.hear(); string(m.Push.Pub.Data) != "2" {
		t.Fatalf("heard %s on %s", m.Push.Pub.Data, m.Push.Channel)
	}
}
