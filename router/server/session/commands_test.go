package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/testwait"
)

func TestAnswers(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxSubscriptions = 3
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	for _, step := range []struct{ say, want string }{
		{`{"id":2,"subscribe":{"channel":"project/p1/a"}}`, ``},
		{`{"id":3,"subscribe":{"channel":"project/p1/a"}}`, `{"id":3,"error":{"code":105,"message":"already subscribed"}}`},
		{`{"id":4,"subscribe":{"channel":"project/p2/a"}}`, `{"id":4,"error":{"code":103,"message":"permission denied"}}`},
		{`{"id":5,"subscribe":{"channel":"admin/*"}}`, `{"id":5,"error":{"code":103,"message":"permission denied"}}`},
		{`{"id":6,"subscribe":{"channel":"project/p1/A"}}`, `{"id":6,"error":{"code":102,"message":"unknown channel"}}`},
		{`{"id":7,"subscribe":{}}`, `{"id":7,"error":{"code":102,"message":"unknown channel"}}`},
		{`{"id":8,"subscribe":{"channel":"user/ann/*"}}`, ``},
		{`{"id":9,"subscribe":{"channel":"public/news"}}`, ``},
		{`{"id":10,"subscribe":{"channel":"project/p1/b"}}`, `{"id":10,"error":{"code":106,"message":"limit exceeded"}}`},
		{`{"id":11,"unsubscribe":{"channel":"project/p1/a"}}`, `{"id":11,"unsubscribe":{}}`},
		{`{"id":12,"unsubscribe":{"channel":"project/p1/a"}}`, `{"id":12,"unsubscribe":{}}`},
		{`{"id":13,"subscribe":{"channel":"project/p1/b","flag":1,"delta":"fossil","tf":{"a":[{}]},"data":7}}`, ``},
		{`{"id":14,"publish":{"channel":"project/p1/b","data":{}}}`, `{"id":14,"error":{"code":108,"message":"not available"}}`},
		{`{"id":15,"rpc":{"method":"x"}}`, `{"id":15,"error":{"code":108,"message":"not available"}}`},
		{`{"id":16,"presence":{"channel":"project/p1/b"}}`, `{"id":16,"error":{"code":108,"message":"not available"}}`},
		{`{"id":17,"presence_stats":{}}`, `{"id":17,"error":{"code":108,"message":"not available"}}`},
		{`{"id":18,"history":{"channel":"project/p1/b"}}`, `{"id":18,"error":{"code":108,"message":"not available"}}`},
		{`{"id":19,"ping":{}}`, `{"id":19,"ping":{}}`},
		{`{"id":20,"sub_refresh":{"channel":"project/p1/b","token":"t"}}`, `{"id":20,"sub_refresh":{}}`},
		{`{"id":21,"sub_refresh":{"channel":"project/p1/z","token":"t"}}`, `{"id":21,"error":{"code":107,"message":"bad request"}}`},
		{`{"id":22,"refresh":{"token":""}}`, `{"id":22,"error":{"code":107,"message":"bad request"}}`},
		{`{"id":23,"refresh":{"token":"ann@p1"}}`, `{"id":23,"refresh":{}}`},
		{`{"id":24}`, `{"id":24,"error":{"code":104,"message":"method not found"}}`},
		{`{"id":25,"dance":{}}`, `{"id":25,"error":{"code":104,"message":"method not found"}}`},
		{"{}\n{\"send\":{\"data\":1}}\n \r\n{\"id\":26,\"ping\":{}}", `{"id":26,"ping":{}}`},
	} {
		c.say(step.say)
		line := c.next()
		if step.want == "" {
			step.want = strings.SplitAfterN(step.say, ",", 2)[0] + `"subscribe":{"recoverable":true,"positioned":true,"epoch":"` + w.hub.Epoch() + `","offset":0}}`
		}
		if string(line) != step.want {
			t.Errorf("%s\n gave %s\n  not %s", step.say, line, step.want)
		}
	}
}

func TestEndings(t *testing.T) {
	w := start(t, DefaultConfig())
	w.people.Expire("old@p1")
	for name, c := range map[string]struct {
		say  []string
		want uint16
	}{
		"not JSON":               {[]string{`hello`}, 3501},
		"not an object":          {[]string{`[1]`}, 3501},
		"wrong type":             {[]string{`{"id":"1","connect":{}}`}, 3501},
		"negative offset":        {[]string{`{"id":1,"connect":{"token":"ann"}}`, `{"id":2,"subscribe":{"offset":-1}}`}, 3501},
		"no id":                  {[]string{`{"connect":{"token":"ann"}}`}, 3501},
		"subscribe before":       {[]string{`{"id":1,"subscribe":{"channel":"public/a"}}`}, 3501},
		"pong before":            {[]string{`{}`}, 3501},
		"connect twice":          {[]string{`{"id":1,"connect":{"token":"ann"}}`, `{"id":2,"connect":{"token":"ann"}}`}, 3501},
		"connect after an error": {[]string{`{"id":1,"connect":{"token":"old@p1"}}`, `{"id":2,"connect":{"token":"ann"}}`}, 3501},
		"bad token":              {[]string{`{"id":1,"connect":{"token":"nobody"}}`}, 3500},
		"no token":               {[]string{`{"id":1,"connect":{}}`}, 3500},
		"another user":           {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"bob@p1"}}`}, 3500},
		"another project":        {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"ann@p2"}}`}, 3500},
		"bad new token":          {[]string{`{"id":1,"connect":{"token":"ann@p1"}}`, `{"id":2,"refresh":{"token":"nobody"}}`}, 3500},
		"half a line":            {[]string{`{"id":1,"connect":{"token":"ann"}}` + "\n" + `{"id":2,`}, 3501},
	} {
		t.Run(name, func(t *testing.T) {
			client := w.open(t)
			for _, line := range c.say {
				client.say(line)
			}
			if got := client.ends(); got != c.want {
				t.Errorf("ended with %d, not %d", got, c.want)
			}
		})
	}
	testwait.Until(t, "all sessions are gone", func() bool { return w.Len() == 0 })
	w.nothingIsLeft(t)
}

func TestTooManyCommands(t *testing.T) {
	cfg := DefaultConfig()
	cfg.CommandsPerSecond, cfg.MaxSubscriptions = 10, 10
	w := start(t, cfg)
	began := time.Now()
	c := w.connected(t, "ann@p1")
	var frame strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&frame, "{\"id\":%d,\"ping\":{}}\n", i+2)
	}
	c.say(frame.String())
	answered := 0
	for c.next() != nil {
		answered++
	}
	if code := c.ends(); code != 3013 {
		t.Errorf("ended with %d", code)
	}
	// A burst of 30, of which connecting took one, and what it earned meanwhile.
	if earned := int(time.Since(began).Seconds()*10) + 1; answered < 29 || answered > 29+earned {
		t.Errorf("%d commands were answered", answered)
	}
}

// nothingIsLeft checks that sessions that have ended have released all they had.
func (w *world) nothingIsLeft(t testing.TB) {
	t.Helper()
	p := w.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.users)+len(p.addresses)+p.sessions+p.clients+w.Len() > 0 {
		t.Errorf("left behind: users %v, addresses %v, %d clients, %d places, %d sessions", p.users, p.addresses, p.clients, p.sessions, w.Len())
	}
}
