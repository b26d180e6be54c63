package wire

import (
	"encoding/json"
	"strconv"
	"time"
)

// replyTo begins a reply: `{"id":7,"subscribe":`.
func replyTo(id uint32, method string) []byte {
	b := append(make([]byte, 0, 256), `{"id":`...)
	b = strconv.AppendUint(b, uint64(id), 10)
	b = append(b, `,"`...)
	b = append(b, method...)
	return append(b, `":`...)
}

// EmptyReply answers a command whose result has no members. The object must be
// there: some clients read it without checking.
func EmptyReply(id uint32, method string) []byte {
	return append(replyTo(id, method), `{}}`...)
}

// ErrorReply answers a command with an error.
func ErrorReply(id uint32, e *Error) []byte {
	b := append(replyTo(id, "error"), `{"code":`...)
	b = strconv.AppendInt(b, int64(e.Code), 10)
	b = append(b, `,"message":"`...)
	b = append(b, e.Message...)
	b = append(b, '"')
	if e.Temporary {
		b = append(b, `,"temporary":true`...)
	}
	return append(b, `}}`...)
}

// ConnectResult is what a client is told when it has connected.
type ConnectResult struct {
	// Client is the session's id.
	Client  string `json:"client"`
	Version string `json:"version"`
	// Expires says that the client must refresh its token within TTL seconds.
	Expires bool `json:"expires,omitempty"`
	TTL     int  `json:"ttl,omitempty"`
	// Ping is in seconds. Pong says that the client has to answer.
	Ping int  `json:"ping"`
	Pong bool `json:"pong"`
	// Session and Node are what a client of a fallback transport shows with its
	// later commands.
	Session string `json:"session,omitempty"`
	Node    string `json:"node,omitempty"`
	// Data is for the application.
	Data ServerData `json:"data"`
}

// ServerData is what pages are told about the server.
type ServerData struct {
	// Clients is how many are connected. After a restart all pages may have missed
	// something; they spread their reloads by it.
	Clients int `json:"clients"`
}

// ConnectReply answers a connect command.
func ConnectReply(id uint32, r ConnectResult) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(append(replyTo(id, "connect"), text...), '}')
}

// ServerPush is a push of data that belongs to no channel.
func ServerPush(data ServerData) []byte {
	b := append(make([]byte, 0, 64), `{"push":{"message":{"data":{"clients":`...)
	b = strconv.AppendInt(b, int64(data.Clients), 10)
	return append(b, `}}}}`...)
}

// RefreshReply answers a refresh or sub_refresh command; method says which.
func RefreshReply(id uint32, method string, expires time.Time) []byte {
	b := replyTo(id, method)
	if expires.IsZero() {
		return append(b, `{}}`...)
	}
	b = append(b, `{"expires":true,"ttl":`...)
	b = strconv.AppendInt(b, int64(TTL(expires)), 10)
	return append(b, `}}`...)
}

// TTL is within how many seconds a client should refresh its token: a little
// before it expires, since the connection ends on time.
func TTL(expires time.Time) int { return ttl(time.Until(expires)) }

func ttl(left time.Duration) int {
	left -= min(left/4, 30*time.Second)
	return max(1, int(left/time.Second))
}

// Recovery is the result of a subscribe command.
type Recovery struct {
	// Recoverable reports whether there is a history at all.
	Recoverable bool
	// Recovering repeats whether the client asked for what it missed, Recovered
	// reports whether Publications has all of it.
	Recovering, Recovered bool
	Epoch                 string
	// Offset is the one asked for after a recovery, otherwise that of the
	// latest publication.
	Offset uint64
	// Publications are JSON objects, oldest first, joined by commas.
	Publications []byte
}

// SubscribeReply answers a subscribe command.
func SubscribeReply(id uint32, r *Recovery) []byte {
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

// HistoryReply answers a history command. publications are as in Recovery, epoch
// and offset the position of the latest one.
func HistoryReply(id uint32, publications []byte, epoch string, offset uint64) []byte {
	b := append(replyTo(id, "history"), `{"publications":[`...)
	b = append(b, publications...)
	b = append(b, `],"epoch":"`...)
	b = append(b, epoch...)
	b = append(b, `","offset":`...)
	b = strconv.AppendUint(b, offset, 10)
	return append(b, `}}`...)
}

// PresenceReply answers a presence command: the user of each client, by the
// client's id.
func PresenceReply(id uint32, users map[string]string) []byte {
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

// PresenceStatsReply answers a presence_stats command: how many clients there
// are, and how many users.
func PresenceStatsReply(id uint32, users map[string]string) []byte {
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

// UnsubscribePush tells a client that it may no longer hear a channel.
func UnsubscribePush(channel string, e *Error) []byte {
	const byServer = 2000 // below 2500: do not subscribe again
	b := append([]byte(`{"push":{"channel":"`), channel...)
	b = append(b, `","unsubscribe":{"code":`...)
	b = strconv.AppendInt(b, byServer, 10)
	b = append(b, `,"reason":"`...)
	b = append(b, e.Message...)
	return append(b, `"}}}`...)
}

// DisconnectPush ends a connection over a transport that has no close codes.
func DisconnectPush(why Disconnect) []byte {
	b := append([]byte(`{"push":{"disconnect":{"code":`), strconv.Itoa(int(why.Code))...)
	b = append(b, `,"reason":"`...)
	b = append(b, why.Reason...)
	return append(b, `"}}}`...)
}
