package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/lxzan/gws"
)

// listener is a websocket connection to the router. It counts every push.
type listener struct {
	gws.BuiltinEventHandler
	ledger *ledger
	// project is the number of its project, -1 if it should hear nothing.
	project int
	awaits  int // replies to its first commands
	ready   chan error
	once    sync.Once
}

// secret signs the listeners' tokens.
const secret = "a secret that only the siege knows, of 32 bytes and more"

// listen connects a listener to the router's client endpoint and returns when its
// subscriptions are confirmed. It ends with its connection.
//
// # Errors
//
// The router does not let it.
func listen(address string, l *ledger, number int, claims jwt.MapClaims, channels ...string) (*gws.Conn, <-chan struct{}, error) {
	claims["exp"] = time.Now().Add(time.Hour).Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		return nil, nil, fmt.Errorf("sign a token: %w", err)
	}
	h := &listener{ledger: l, project: number, awaits: 1 + len(channels), ready: make(chan error, 1)}
	conn, _, err := gws.NewClient(h, &gws.ClientOption{Addr: "ws://" + address + "/realtime/connection/websocket"})
	if err != nil {
		return nil, nil, fmt.Errorf("connect a listener: %w", err)
	}
	done := make(chan struct{})
	go func() { defer close(done); conn.ReadLoop() }()
	if err := conn.WriteMessage(gws.OpcodeText, connectAndSubscribe(token, channels)); err != nil {
		return nil, nil, fmt.Errorf("subscribe a listener: %w", err)
	}
	return conn, done, <-h.ready
}

// connectAndSubscribe are a client's first commands.
func connectAndSubscribe(token string, channels []string) []byte {
	commands := []map[string]any{{"id": 1, "connect": map[string]any{"token": token}}}
	for i, ch := range channels {
		commands = append(commands, map[string]any{"id": i + 2, "subscribe": map[string]any{"channel": ch}})
	}
	var b bytes.Buffer
	for _, c := range commands {
		_ = json.NewEncoder(&b).Encode(c) // maps of strings and numbers
	}
	return bytes.TrimSpace(b.Bytes())
}

// OnMessage implements gws.Event.
func (h *listener) OnMessage(conn *gws.Conn, m *gws.Message) {
	defer m.Close()
	for line := range bytes.SplitSeq(m.Bytes(), []byte("\n")) {
		switch {
		case bytes.HasPrefix(line, []byte(`{"push":{"message":`)): // how many clients there are
		case bytes.HasPrefix(line, []byte(`{"push":`)):
			h.push(line)
		case bytes.Equal(line, []byte("{}")):
			_ = conn.WriteMessage(gws.OpcodeText, line)
		case bytes.Contains(line, []byte(`"error":{`)):
			h.settle(fmt.Errorf("subscribe a listener: %s", line))
		default:
			if h.awaits--; h.awaits == 0 {
				h.settle(nil)
			}
		}
	}
}

func (h *listener) push(line []byte) {
	serial, ok := serialOf(line)
	if !ok || int(serial%projects) != h.project {
		h.ledger.astray.Add(1)
		return
	}
	h.ledger.deliver(serial)
}

// OnClose implements gws.Event.
func (h *listener) OnClose(_ *gws.Conn, err error) {
	h.settle(fmt.Errorf("the router closed a listener: %w", err))
}

func (h *listener) settle(err error) { h.once.Do(func() { h.ready <- err }) }
