package wire

import "testing"

func TestParseCommand(t *testing.T) {
	for line, method := range map[string]string{
		`{}`: "pong", `{"id":1,"connect":{"token":"t"}}`: "connect", `{"id":1,"subscribe":{}}`: "subscribe",
		`{"id":1,"unsubscribe":{}}`: "unsubscribe", `{"id":1,"refresh":{}}`: "refresh", `{"id":1,"sub_refresh":{}}`: "sub_refresh",
		`{"id":1,"ping":{}}`: "ping", `{"id":1,"presence":{}}`: "presence", `{"id":1,"presence_stats":{}}`: "presence_stats",
		`{"id":1,"history":{}}`: "history", `{"send":{}}`: "not_available", `{"id":1,"publish":{}}`: "not_available",
		`{"id":1,"rpc":{"data":[1]}}`: "not_available", `{"id":1}`: "unknown", `{"id":1,"dance":{}}`: "unknown",
		`{"id":1,"subscribe":{"channel":"a","flag":7,"tf":[[]],"delta":"fossil"}}`: "subscribe",
		`{"id":1,"connect":{},"subscribe":{}}`:                                     "connect",
	} {
		if c, err := ParseCommand([]byte(line)); err != nil || c.Method() != method {
			t.Errorf("%s: %s, %v; not %s", line, c.Method(), err, method)
		}
	}
	for name, line := range map[string]string{
		"not JSON": `hello`, "cut off": `{"id":1,`, "a list": `[1]`, "no id": `{"connect":{}}`, "an id of text": `{"id":"1"}`,
		"a negative id": `{"id":-1}`, "a large id": `{"id":4294967296}`, "a broken id": `{"id":1.5}`,
		"a negative offset": `{"id":1,"subscribe":{"offset":-1}}`, "a channel that is a list": `{"id":1,"subscribe":{"channel":["a"]}}`,
		"two": `{"id":1}{"id":2}`,
	} {
		if c, err := ParseCommand([]byte(line)); err == nil {
			t.Errorf("%s: taken for %+v", name, c)
		}
	}
	c, err := ParseCommand([]byte(`{"id":2,"subscribe":{"channel":"public/a","recover":true,"epoch":"e","offset":41}}`))
	if want := (SubscribeRequest{"public/a", true, "e", 41, 0}); err != nil || c.ID != 2 || *c.Subscribe != want {
		t.Errorf("%+v, %v", c.Subscribe, err)
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte(`{"id":1,"history":{"since":{"offset":1,"epoch":"e"},"limit":-1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if c, err := ParseCommand(line); err == nil && c.ID == 0 && c.Method() != "pong" && c.Send == nil {
			t.Errorf("%q: a %s without an id", line, c.Method())
		}
	})
}
