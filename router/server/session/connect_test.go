package session

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestConnectErrorsLetTheClientGoOn(t *testing.T) {
	w := start(t, DefaultConfig())
	w.people.Expire("old@p1")
	c := w.open(t)
	c.say(`{"id":1,"connect":{"token":"old@p1"}}`)
	if line := c.next(); string(line) != `{"id":1,"error":{"code":109,"message":"token expired"}}` {
		t.Errorf("expired: %s", line)
	}
	w.people.TakeDown()
	d := w.open(t)
	d.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	if line := d.next(); string(line) != `{"id":1,"error":{"code":100,"message":"internal server error","temporary":true}}` {
		t.Errorf("down: %s", line)
	}
}

// TestCommandsOfTheRefused has clients whose connect command was answered with an
// error, expired or temporary, go on as if it had not been.
func TestCommandsOfTheRefused(t *testing.T) {
	for name, command := range map[string]string{
		"connect":     `{"id":2,"connect":{"token":"ann@p1"}}`,
		"subscribe":   `{"id":2,"subscribe":{"channel":"public/a"}}`,
		"unsubscribe": `{"id":2,"unsubscribe":{"channel":"public/a"}}`,
		"refresh":     `{"id":2,"refresh":{"token":"ann@p1"}}`,
		"sub_refresh": `{"id":2,"sub_refresh":{"channel":"public/a"}}`,
		"ping":        `{"id":2,"ping":{}}`,
		"pong":        `{}`,
		"send":        `{"send":{}}`,
		"history":     `{"id":2,"history":{}}`,
		"unknown":     `{"id":2,"dance":{}}`,
	} {
		for token, code := range map[string]int{"old@p1": 109, "ann@p1/never": 100} {
			t.Run(fmt.Sprintf("%s after %d", name, code), func(t *testing.T) {
				w := start(t, DefaultConfig())
				w.people.Expire("old@p1")
				c := w.open(t)
				c.say(`{"id":1,"connect":{"token":"`+token+`"}}`, command)
				if m := c.hear(); m.Error == nil || m.Error.Code != code {
					t.Errorf("connect: %+v", m)
				}
				if code := c.ends(); code != 3501 {
					t.Errorf("ended with %d", code)
				}
			})
		}
	}
}

// Pages spread their reloads by how many of them there are, so those that were
// first have to hear of those that came later.
func TestClientsHearHowManyTheyAre(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Ping, cfg.PongTimeout = 2*time.Minute, time.Minute
	w := start(t, cfg)
	first := w.open(t)
	first.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
	if reply := string(first.next()); !strings.Contains(reply, `"data":{"clients":1}`) {
		t.Fatalf("the first hears %s", reply)
	}
	for range 2 {
		w.connected(t, "bob@p1")
	}
	w.turnTo(130 * time.Second)
	if push := string(first.next()); push != `{"push":{"message":{"data":{"clients":3}}}}` {
		t.Errorf("the first hears %s with its ping", push)
	}
	if ping := string(first.next()); ping != "{}" {
		t.Errorf("and then %s", ping)
	}
}
