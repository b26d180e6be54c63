package wire

import (
	"encoding/json"
	"errors"
)

// Command is one line from a client. Members that are not listed are ignored.
type Command struct {
	ID            uint32              `json:"id"`
	Connect       *ConnectRequest     `json:"connect"`
	Subscribe     *SubscribeRequest   `json:"subscribe"`
	Unsubscribe   *UnsubscribeRequest `json:"unsubscribe"`
	Refresh       *RefreshRequest     `json:"refresh"`
	SubRefresh    *RefreshRequest     `json:"sub_refresh"`
	Ping          *struct{}           `json:"ping"`
	Send          *struct{}           `json:"send"`
	Publish       *struct{}           `json:"publish"`
	RPC           *struct{}           `json:"rpc"`
	Presence      *PresenceRequest    `json:"presence"`
	PresenceStats *PresenceRequest    `json:"presence_stats"`
	History       *HistoryRequest     `json:"history"`
}

// ConnectRequest is the first command of a connection.
type ConnectRequest struct {
	Token string `json:"token"`
	Name  string `json:"name"`
}

// SubscribeRequest asks for what is published to a channel or, ending in "/*", to
// all channels of a group. With Recover it also asks for what was published
// after Offset of Epoch; no Epoch and Offset 0 ask for everything.
type SubscribeRequest struct {
	Channel string `json:"channel"`
	Recover bool   `json:"recover"`
	Epoch   string `json:"epoch"`
	Offset  uint64 `json:"offset"`
	Flag    uint32 `json:"flag"`
}

// RejectUnrecovered reports whether the client wants ErrUnrecoverable, instead of
// a subscription, if it cannot be given all that it has missed. SDKs ask for this
// if the application loads its state again then.
func (r *SubscribeRequest) RejectUnrecovered() bool {
	const flag = 1 << 1
	return r.Flag&flag != 0
}

// PresenceRequest asks who has subscribed to a channel, or how many have.
type PresenceRequest struct {
	Channel string `json:"channel"`
}

// HistoryRequest asks for what a channel's history holds.
type HistoryRequest struct {
	Channel string `json:"channel"`
	Limit   int32  `json:"limit"` // -1: all
	Since   *struct {
		Offset uint64 `json:"offset"`
		Epoch  string `json:"epoch"`
	} `json:"since"`
	Reverse bool `json:"reverse"`
}

// UnsubscribeRequest ends a subscription.
type UnsubscribeRequest struct {
	Channel string `json:"channel"`
}

// RefreshRequest brings a new token: for the connection, or for one channel.
type RefreshRequest struct {
	Channel string `json:"channel"`
	Token   string `json:"token"`
}

// ParseCommand reads one line. An empty object, the answer to a ping, is a
// command without an id.
//
// # Errors
//
// The line is not a JSON object with members of the right types, or asks for
// something without an id.
func ParseCommand(line []byte) (Command, error) {
	var c Command
	if string(line) == "{}" { // almost all that a client says
		return c, nil
	}
	if err := json.Unmarshal(line, &c); err != nil {
		return Command{}, err
	}
	if c.ID == 0 && c.Send == nil && c != (Command{}) {
		return Command{}, errors.New("a command that wants an answer has an id")
	}
	return c, nil
}

// Method names what is asked for, as a metric's label.
func (c *Command) Method() string {
	switch {
	case c.Connect != nil:
		return "connect"
	case c.Subscribe != nil:
		return "subscribe"
	case c.Unsubscribe != nil:
		return "unsubscribe"
	case c.Refresh != nil:
		return "refresh"
	case c.SubRefresh != nil:
		return "sub_refresh"
	case c.Ping != nil:
		return "ping"
	case c.Presence != nil:
		return "presence"
	case c.PresenceStats != nil:
		return "presence_stats"
	case c.History != nil:
		return "history"
	case c.Send != nil, c.Publish != nil, c.RPC != nil:
		return "not_available"
	case c.ID == 0:
		return "pong"
	}
	return "unknown"
}
