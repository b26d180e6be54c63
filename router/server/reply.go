package server

import (
	"encoding/json"
	"strconv"
	"time"

	"horizon-realtime/router/hub"
)

// replyTo begins a reply: `{"id":7,"subscribe":`.
func replyTo(id uint32, method string) []byte {
	b := append(make([]byte, 0, 256), `{"id":`...)
	b = strconv.AppendUint(b, uint64(id), 10)
	b = append(b, `,"`...)
	b = append(b, method...)
	return append(b, `":`...)
}

// emptyReply is a reply without a result to speak of. The object has to be
// there: some clients look into it without asking.
func emptyReply(id uint32, method string) []byte {
	return append(replyTo(id, method), `{}}`...)
}

func errorReply(id uint32, e *replyError) []byte {
	b := append(replyTo(id, "error"), `{"code":`...)
	b = strconv.AppendInt(b, int64(e.code), 10)
	b = append(b, `,"message":"`...)
	b = append(b, e.message...)
	b = append(b, '"')
	if e.temporary {
		b = append(b, `,"temporary":true`...)
	}
	return append(b, `}}`...)
}

// connectResult is what a client is told when it has connected.
type connectResult struct {
	Client  string `json:"client"`
	Version string `json:"version"`
	Expires bool   `json:"expires,omitempty"`
	TTL     int    `json:"ttl,omitempty"`
	Ping    int    `json:"ping"`
	Pong    bool   `json:"pong"`
	Session string `json:"session,omitempty"`
	Node    string `json:"node,omitempty"`
}

func connectReply(id uint32, r connectResult) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(append(replyTo(id, "connect"), text...), '}')
}

// refreshReply answers method refresh and sub_refresh.
func refreshReply(id uint32, method string, expires time.Time) []byte {
	b := replyTo(id, method)
	if expires.IsZero() {
		return append(b, `{}}`...)
	}
	b = append(b, `{"expires":true,"ttl":`...)
	b = strconv.AppendInt(b, int64(ttl(expires)), 10)
	return append(b, `}}`...)
}

// ttl is in how many seconds a client should have refreshed: somewhat before
// the connection ends, since it ends on time.
func ttl(expires time.Time) int {
	left := time.Until(expires)
	left -= min(left/4, 30*time.Second)
	return max(1, int(left/time.Second))
}

func subscribeReply(id uint32, r *hub.Recovery) []byte {
	b := append(replyTo(id, "subscribe"), '{')
	if r.Recoverable {
		b = append(b, `"recoverable":true,"positioned":true,`...)
	}
	b = append(b, `"epoch":"`...)
	b = append(b, r.Epoch...)
	b = append(b, `","offset":`...)
	b = strconv.AppendUint(b, r.Offset, 10)
	if r.Recovering {
		b = append(b, `,"was_recovering":true`...)
	}
	if r.Recovered {
		b = append(b, `,"recovered":true`...)
	}
	if len(r.Publications) > 0 {
		b = append(b, `,"publications":[`...)
		b = append(b, r.Publications...)
		b = append(b, ']')
	}
	return append(b, `}}`...)
}

func historyReply(id uint32, publications []byte, epoch string, offset uint64) []byte {
	b := append(replyTo(id, "history"), `{"publications":[`...)
	b = append(b, publications...)
	b = append(b, `],"epoch":"`...)
	b = append(b, epoch...)
	b = append(b, `","offset":`...)
	b = strconv.AppendUint(b, offset, 10)
	return append(b, `}}`...)
}

// presenceReply tells of each client its user.
func presenceReply(id uint32, users map[string]string) []byte {
	type info struct {
		Client string `json:"client"`
		User   string `json:"user"`
	}
	clients := make(map[string]info, len(users))
	for client, user := range users {
		clients[client] = info{client, user}
	}
	text, err := json.Marshal(clients)
	if err != nil {
		panic(err) // strings
	}
	b := append(replyTo(id, "presence"), `{"presence":`...)
	return append(append(b, text...), `}}`...)
}

// presenceStatsReply tells how many clients there are, and how many users.
func presenceStatsReply(id uint32, users map[string]string) []byte {
	different := map[string]bool{}
	for _, user := range users {
		different[user] = true
	}
	b := append(replyTo(id, "presence_stats"), `{"num_clients":`...)
	b = strconv.AppendInt(b, int64(len(users)), 10)
	b = append(b, `,"num_users":`...)
	b = strconv.AppendInt(b, int64(len(different)), 10)
	return append(b, `}}`...)
}

// unsubscribePush tells a client that a channel is closed to it, for good.
func unsubscribePush(channel string, e *replyError) []byte {
	const byServer = 2000 // below 2500: do not subscribe again
	b := append([]byte(`{"push":{"channel":"`), channel...)
	b = append(b, `","unsubscribe":{"code":`...)
	b = strconv.AppendInt(b, byServer, 10)
	b = append(b, `,"reason":"`...)
	b = append(b, e.message...)
	return append(b, `"}}}`...)
}

// disconnectPush is how a connection ends over a transport without codes.
func disconnectPush(why disconnect) []byte {
	b := append([]byte(`{"push":{"disconnect":{"code":`), strconv.Itoa(int(why.code))...)
	b = append(b, `,"reason":"`...)
	b = append(b, why.reason...)
	return append(b, `"}}}`...)
}
