package session

import (
	"bytes"
	"strings"
	"testing"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/clienttest"
)

// FuzzCommands has a session handle anything. What it says is a line of JSON
// each, what it holds is its own, and when it ends nothing is left.
func FuzzCommands(f *testing.F) {
	const connect = `{"id":1,"connect":{"token":"ann@p1"}}` + "\n"
	for _, s := range []string{
		`{"id":1,"connect":{"token":"ann@p1","data":{}}}` + "\n" + `{"id":2,"subscribe":{"channel":"project/p1/a","recover":true,"epoch":"e","offset":41}}`,
		`{"id":1,"connect":{"token":"ann"}}` + "\n{}\n" + `{"id":2,"unsubscribe":{"channel":"a"}}`,
		`{"id":1,"connect":{"token":"ann@p1/1h"}}` + "\n" + `{"id":3,"refresh":{"token":"x"}}` + "\n" + `{"send":{}}`,
		`{"id":1,"connect":{"token":"ann@p1/never"}}` + "\n" + `{"id":2,"refresh":{"token":"ann@p1"}}`,
		"\n \r\n[[[", `{"id":4294967296}`, `null`, `{"ID":1,"Connect":{}}`,
		connect + `{"id":2,"subscribe":{"channel":"user/ann/*"}}` + "\n" + `{"id":2,"subscribe":{"channel":"public/a","offset":18446744073709551615}}`,
		connect + `{"id":2,"subscribe":{"channel":"public/a"}}` + "\n" + `{"id":3,"sub_refresh":{"channel":"public/a","token":"t"}}` + "\n" + `{"id":4,"unsubscribe":{"channel":"public/a"}}`,
		connect + `{"id":2,"refresh":{"token":"ann@p1/1h"}}` + "\n" + `{"id":3,"refresh":{"token":"ann@p2"}}`,
		connect + `{"id":2,"refresh":{"token":"root@p1"}}` + "\n" + `{"id":3,"subscribe":{"channel":"admin/*"}}` + "\n" + `{"id":4,"refresh":{"token":"ann@p1"}}`,
		connect + `{"id":2,"publish":{}}` + "\n" + `{"id":3,"rpc":{}}` + "\n" + `{"id":4,"presence":{}}` + "\n" + `{"id":5,"presence_stats":{}}` + "\n" + `{"id":6,"history":{}}` + "\n" + `{"id":7,"ping":{}}`,
		connect + `{"id":2,"connect":{},"subscribe":{"channel":"project/p2/a"},"unsubscribe":null}`,
		connect + strings.Repeat("{}\n", 400),
		`{"id":1,"connect":{"token":"\ud800\u0000"}}`, `{"id":1e2,"connect":{}}`, `{"id":-0,"connect":{}}`, "\xef\xbb\xbf{}",
		`{"id":1,"connect":` + strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 51),
	} {
		f.Add([]byte(s))
	}
	for _, c := range spellings {
		f.Add([]byte(connect + `{"id":2,"subscribe":{"channel":` + c.json + `}}`))
	}
	w := start(f, DefaultConfig())
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := w.open(t)
		s := c.session
		s.Handle(frame)
		s.mu.Lock()
		if len(s.subs) > s.shared.cfg.MaxSubscriptions {
			t.Errorf("%d subscriptions", len(s.subs))
		}
		for _, sub := range s.subs {
			if err := auth.MayHear(s.identity, sub.Channel); err != nil {
				t.Errorf("%s hears %s: %v", s.identity.User, sub.Channel.Name, err)
			}
		}
		s.mu.Unlock()
		c.leave()
		w.nothingIsLeft(t)
		if s.subs != nil || s.request != nil || s.timer.slot != notInWheel {
			t.Errorf("the session has %v, slot %d", s.subs, s.timer.slot)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, line := range c.lines {
			clienttest.Parse(t, line)
			if bytes.ContainsAny(line, "\n") {
				t.Errorf("%q has a line break", line)
			}
		}
	})
}
