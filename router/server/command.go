package server

import (
	"encoding/json"
	"errors"
)

// command is one line from a client. Members that are not listed are ignored.
type command struct {
	ID            uint32              `json:"id"`
	Connect       *connectRequest     `json:"connect"`
	Subscribe     *subscribeRequest   `json:"subscribe"`
	Unsubscribe   *unsubscribeRequest `json:"unsubscribe"`
	Refresh       *refreshRequest     `json:"refresh"`
	SubRefresh    *refreshRequest     `json:"sub_refresh"`
	Ping          *struct{}           `json:"ping"`
	Send          *struct{}           `json:"send"`
	Publish       *struct{}           `json:"publish"`
	RPC           *struct{}           `json:"rpc"`
	Presence      *presenceRequest    `json:"presence"`
	PresenceStats *presenceRequest    `json:"presence_stats"`
	History       *historyRequest     `json:"history"`
}

type connectRequest struct {
	Token string `json:"token"`
	Name  string `json:"name"`
}

type subscribeRequest struct {
	Channel string `json:"channel"`
	Recover bool   `json:"recover"`
	Epoch   string `json:"epoch"`
	Offset  uint64 `json:"offset"`
}

type presenceRequest struct {
	Channel string `json:"channel"`
}

type historyRequest struct {
	Channel string `json:"channel"`
	Limit   int32  `json:"limit"` // -1: all
	Since   *struct {
		Offset uint64 `json:"offset"`
		Epoch  string `json:"epoch"`
	} `json:"since"`
	Reverse bool `json:"reverse"`
}

type unsubscribeRequest struct {
	Channel string `json:"channel"`
}

type refreshRequest struct {
	Channel string `json:"channel"`
	Token   string `json:"token"`
}

// parseCommand reads one line. An empty object, the answer to a ping, is a
// command without an id.
//
// # Errors
//
// What is not a JSON object with members of the right types, or asks for
// something without an id.
func parseCommand(line []byte) (command, error) {
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		return command{}, err
	}
	if c.ID == 0 && c.Send == nil && c != (command{}) {
		return command{}, errors.New("a command that wants an answer has an id")
	}
	return c, nil
}

// method names what is asked for, as a metric's label.
func (c *command) method() string {
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
