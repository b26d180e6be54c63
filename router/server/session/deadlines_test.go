package session

import (
	"testing"
	"time"
)

func TestDeadlines(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Ping, cfg.PongTimeout, cfg.ConnectTimeout = 2*time.Minute, time.Minute, 3*time.Minute
	for name, c := range map[string]struct {
		token string
		after []time.Duration
		pong  bool
		want  uint16
	}{
		"never connects": {"", []time.Duration{3*time.Minute + time.Second}, false, 3502},
		"no pong":        {"ann@p1", []time.Duration{130 * time.Second, 200 * time.Second}, false, 3012},
		"expires":        {"ann@p1/30s", []time.Duration{31 * time.Second}, false, 3005},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, cfg)
			client := w.open(t)
			if c.token != "" {
				client.say(`{"id":1,"connect":{"token":"` + c.token + `"}}`)
				if m := client.hear(); m.Connect == nil {
					t.Fatalf("connect: %+v", m)
				}
			}
			for _, d := range c.after {
				w.turnTo(d)
			}
			if got := client.ends(); got != c.want {
				t.Errorf("ended with %d, not %d", got, c.want)
			}
		})
	}
}

func TestPongKeepsTheConnection(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Ping, cfg.PongTimeout = 2*time.Minute, time.Minute
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	now := time.Duration(0)
	for range 5 {
		now += 2*time.Minute + time.Second
		w.at(now - 30*time.Second)
		w.at(now)
		if line := c.next(); string(line) != "{}" {
			t.Fatalf("ping: %q", line)
		}
		c.say(`{}`, `{"id":9,"ping":{}}`)
		if m := c.hear(); m.ID != 9 {
			t.Fatalf("%+v", m)
		}
	}
}
