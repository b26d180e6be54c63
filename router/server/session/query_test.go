package session

import (
	"fmt"
	"strings"
	"testing"

	"horizon-realtime/router/hub"
)

func TestHistoryAndPresence(t *testing.T) {
	cfg := DefaultConfig()
	cfg.HistoryChannels = []string{"project/*/a", "public/*"}
	cfg.PresenceChannels = []string{"project/*/*"}
	cfg.PresenceClients = 3
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = 3
	w := startWith(t, cfg, hubConfig)
	c := w.connected(t, "ann@p1")
	id := c.session.id
	for i := range 4 {
		w.hub.Say(t, "project/p1/a", fmt.Sprintf(`{"n":%d}`, i+1))
	}
	c.subscribe("project/p1/b") // after all that
	answer := func(say string) string {
		t.Helper()
		c.say(say)
		return string(c.next())
	}
	epoch := w.hub.Epoch()
	for _, step := range []struct{ say, want string }{
		{`"history":{"channel":"project/p1/a","limit":-1}`, "2 3 4"},
		{`"history":{"channel":"project/p1/a"}`, ""},
		{`"history":{"channel":"project/p1/a","limit":2}`, "2 3"},
		{`"history":{"channel":"project/p1/a","limit":2,"reverse":true}`, "4 3"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":2,"epoch":"E"}}`, "3 4"},
		{`"history":{"channel":"project/p1/a","limit":1,"since":{"offset":2}}`, "3"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":4,"epoch":"E"}}`, ""},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":0,"epoch":"E"}}`, "2 3 4"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":4,"epoch":"E"},"reverse":true}`, "3 2"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":5,"epoch":"E"}}`, "112"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":2,"epoch":"other"}}`, "112"},
		{`"history":{"channel":"project/p1/a","limit":-1,"since":{"offset":0},"reverse":true}`, "107"},
		{`"history":{"channel":"project/p1/a","limit":-2}`, "107"},
		{`"history":{"channel":"project/p2/a","limit":-1}`, "103"},
		{`"history":{"channel":"project/p1/b","limit":-1}`, "108"},
		{`"history":{"channel":"project/p1/*","limit":-1}`, "108"},
		{`"history":{"channel":"public/*","limit":-1}`, "102"},
		{`"history":{"channel":"public/nothing","limit":-1}`, ""},
		{`"presence":{"channel":"project/p2/a"}`, "103"},
		{`"presence":{"channel":"admin/a"}`, "108"},
	} {
		say := `{"id":7,` + strings.ReplaceAll(step.say, `"E"`, `"`+epoch+`"`) + `}`
		line := answer(say)
		var want string
		if len(step.want) == 3 && step.want[0] == '1' {
			if want = `{"id":7,"error":{"code":` + step.want + `,`; !strings.HasPrefix(line, want) {
				t.Errorf("%s\n gave %s\n  not %s…", say, line, want)
			}
			continue
		}
		var n []string
		for _, i := range strings.Fields(step.want) {
			n = append(n, fmt.Sprintf(`{"data":{"n":%s},"offset":%s}`, i, i))
		}
		want = `{"id":7,"history":{"publications":[` + strings.Join(n, ",") + `],"epoch":"` + epoch + `","offset":4}}`
		if got := withoutTimes(line); got != want {
			t.Errorf("%s\n gave %s\n  not %s", say, got, want)
		}
	}

	if got, want := answer(`{"id":8,"presence":{"channel":"project/p1/b"}}`),
		`{"id":8,"presence":{"presence":{"`+id+`":{"client":"`+id+`","user":"ann"}}}}`; got != want {
		t.Errorf("presence is %s, not %s", got, want)
	}
	if got, want := answer(`{"id":8,"presence":{"channel":"project/p1/a"}}`), `{"id":8,"presence":{"presence":{}}}`; got != want {
		t.Errorf("presence of nobody is %s, not %s", got, want)
	}
	// Who hears all of the project hears this channel, and counts once.
	d := w.connected(t, "bob@p1")
	d.subscribe("project/p1/*")
	d.subscribe("project/p1/b")
	if got, want := answer(`{"id":9,"presence_stats":{"channel":"project/p1/b"}}`), `{"id":9,"presence_stats":{"num_clients":2,"num_users":2}}`; got != want {
		t.Errorf("presence_stats is %s, not %s", got, want)
	}
	e := w.connected(t, "bob@p1")
	e.subscribe("project/p1/b")
	for _, method := range []string{"presence", "presence_stats"} {
		if got, want := answer(`{"id":9,"`+method+`":{"channel":"project/p1/b"}}`), `{"id":9,"error":{"code":106,"message":"limit exceeded"}}`; got != want {
			t.Errorf("%s of too many is %s, not %s", method, got, want)
		}
	}
	d.leave()
	if got, want := answer(`{"id":9,"presence_stats":{"channel":"project/p1/b"}}`), `{"id":9,"presence_stats":{"num_clients":2,"num_users":2}}`; got != want {
		t.Errorf("presence_stats is %s, not %s", got, want)
	}
}

// withoutTimes takes the times of publications out, which differ.
func withoutTimes(line string) string {
	for {
		from := strings.Index(line, `,"time":`)
		if from < 0 {
			return line
		}
		line = line[:from] + line[from+strings.IndexByte(line[from:], '}'):]
	}
}
