package clienttest

import (
	"encoding/json"
	"testing"
)

// Message is one line from a server, with the members that the tests check.
type Message struct {
	ID      uint32
	Error   *struct{ Code int }
	Connect *struct {
		Client, Session, Node string
		Ping, TTL             int
		Expires               bool
	}
	Subscribe   *Subscribed
	History     *struct{ Publications []Publication }
	Unsubscribe *struct{}
	Refresh     *struct {
		Expires bool
		TTL     int
	}
	SubRefresh *struct{ Expires bool } `json:"sub_refresh"`
	Ping       *struct{}
	Push       *struct {
		Channel     string
		Pub         *Publication
		Unsubscribe *struct{ Code int }
		Disconnect  *struct {
			Code   uint16
			Reason string
		}
	}
}

// Subscribed is the result of a subscribe command.
type Subscribed struct {
	Recoverable, Recovered bool
	WasRecovering          bool `json:"was_recovering"`
	Epoch                  string
	Offset                 uint64
	Publications           []Publication
}

// Publication is a publication, pushed or recovered.
type Publication struct {
	Data    json.RawMessage
	Offset  uint64
	Key     string
	Removed bool
	Time    int64
	Tags    struct{ Channel, Skipped string }
}

// Parse parses one line.
func Parse(t testing.TB, line []byte) Message {
	t.Helper()
	var m Message
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return m
}
