package session

import (
	"fmt"
	"testing"

	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

// A user who is in several projects hears in each what belongs to it or to none:
// live, recovered and asked for.
func TestUserHearsOfTheSessionsProject(t *testing.T) {
	cfg, hubConfig := DefaultConfig(), hub.DefaultConfig()
	cfg.HistoryChannels = []string{"user/*/a"}
	w := startWith(t, cfg, hubConfig)
	ch, err := event.ParseChannel("user/ann/a")
	if err != nil {
		t.Fatal(err)
	}
	publish := func(project, data string) {
		t.Helper()
		if err := w.hub.Publish(hub.Publication{Channel: ch, Project: project, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	clients := map[string]*client{}
	for token, pattern := range map[string]string{"ann@alpha": "user/ann/a", "ann@beta": "user/ann/a", "ann": "user/ann/*", "ann@alpha/1h": "user/ann/*"} {
		clients[token] = w.connected(t, token)
		clients[token].subscribe(pattern)
	}
	publish("alpha", `1`)
	publish("beta", `2`)
	publish("", `3`)
	heard := map[string][]string{"ann@alpha": {"1", "3"}, "ann@alpha/1h": {"1", "3"}, "ann@beta": {"2", "3"}, "ann": {"3"}}
	for token, want := range heard {
		for _, data := range want {
			if m := clients[token].hear(); string(m.Push.Pub.Data) != data {
				t.Errorf("%s heard %s, want %s", token, m.Push.Pub.Data, data)
			}
		}
		c := w.connected(t, token)
		c.say(`{"id":7,"history":{"channel":"user/ann/a","limit":-1}}`,
			fmt.Sprintf(`{"id":8,"subscribe":{"channel":"user/ann/a","recover":true,"epoch":%q,"offset":0}}`, w.hub.Epoch()))
		if m := c.hear(); m.ID != 7 || m.History == nil || len(m.History.Publications) != len(want) {
			t.Errorf("%s, history: %+v", token, m.History)
		}
		m := c.hear()
		if m.ID != 8 || !m.Subscribe.Recovered || len(m.Subscribe.Publications) != len(want) {
			t.Fatalf("%s, recovery: %+v", token, m.Subscribe)
		}
		for i, p := range m.Subscribe.Publications {
			if string(p.Data) != want[i] {
				t.Errorf("%s recovered %s, want %s", token, p.Data, want[i])
			}
		}
	}
}
