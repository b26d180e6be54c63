package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// deadline is how long a test waits for what has to come.
const deadline = 30 * time.Second

// client is a websocket client that does what it is told, good or bad.
type client struct {
	t    testing.TB
	conn net.Conn
	br   *bufio.Reader
	buf  [][]byte // messages of a frame that were not asked for yet
}

// closed is how a server ends a websocket.
type closedError struct {
	code   uint16
	reason string
}

func (e *closedError) Error() string { return fmt.Sprintf("%d %s", e.code, e.reason) }

const handshake = "GET /realtime/connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" +
	"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// dial opens a websocket, with some bytes sent right behind the handshake.
func dial(t testing.TB, conn net.Conn, early ...[]byte) *client {
	t.Helper()
	c := &client{t: t, conn: conn, br: bufio.NewReader(conn)}
	t.Cleanup(func() { conn.Close() })
	request := append([]byte(handshake+"\r\n"), bytes.Join(early, nil)...)
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(deadline))
	answer, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", answer.Status)
	}
	return c
}

func dialTCP(t testing.TB, address string, early ...[]byte) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, conn, early...)
}

// maskedFrame is a frame as a client has to send it.
func maskedFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// say sends commands in one frame, a line each.
func (c *client) say(lines ...string) {
	c.t.Helper()
	if _, err := c.conn.Write(maskedFrame(0x81, []byte(strings.Join(lines, "\n")))); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one frame.
func (c *client) frame() (first byte, payload []byte, err error) {
	c.conn.SetReadDeadline(time.Now().Add(deadline))
	var head [8]byte
	if _, err = io.ReadFull(c.br, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	n := int(head[1])
	switch n {
	case 126:
		_, err = io.ReadFull(c.br, head[:2])
		n = int(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(c.br, head[:8])
		n = int(binary.BigEndian.Uint64(head[:8]))
	}
	if err != nil {
		return 0, nil, err
	}
	if n > 64<<20 {
		return 0, nil, errors.New("masked or absurd frame")
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.br, payload)
	return first, payload, err
}

// next gives the next message, or a *closedError.
func (c *client) next() ([]byte, error) {
	for len(c.buf) == 0 {
		first, payload, err := c.frame()
		if err != nil {
			return nil, err
		}
		switch first {
		case 0x81:
			c.buf = bytes.Split(payload, []byte{'\n'})
		case 0x88:
			if len(payload) < 2 {
				return nil, &closedError{}
			}
			return nil, &closedError{binary.BigEndian.Uint16(payload), string(payload[2:])}
		default:
			return nil, fmt.Errorf("frame %x: %q", first, payload)
		}
	}
	m := c.buf[0]
	c.buf = c.buf[1:]
	return m, nil
}

// message is what a server says, as far as the tests look.
type message struct {
	ID      uint32
	Error   *struct{ Code int }
	Connect *struct {
		Client, Session, Node string
		Ping, TTL             int
		Expires               bool
	}
	Subscribe   *subscribed
	Unsubscribe *struct{}
	Refresh     *struct {
		Expires bool
		TTL     int
	}
	SubRefresh *struct{ Expires bool } `json:"sub_refresh"`
	Ping       *struct{}
	Push       *struct {
		Channel     string
		Pub         *publication
		Unsubscribe *struct{ Code int }
		Disconnect  *struct {
			Code   uint16
			Reason string
		}
	}
}

type subscribed struct {
	Recoverable, Recovered bool
	WasRecovering          bool `json:"was_recovering"`
	Epoch                  string
	Offset                 uint64
	Publications           []publication
}

type publication struct {
	Data    json.RawMessage
	Offset  uint64
	Key     string
	Removed bool
	Time    int64
	Tags    struct{ Channel, Skipped string }
}

func (c *client) hear() message {
	c.t.Helper()
	line, err := c.next()
	if err != nil {
		c.t.Fatal(err)
	}
	return parseMessage(c.t, line)
}

func parseMessage(t testing.TB, line []byte) message {
	t.Helper()
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return m
}

// ends reads on until the server ends the connection, and gives the code.
func (c *client) ends() uint16 {
	c.t.Helper()
	for {
		if _, err := c.next(); err != nil {
			var closed *closedError
			if !errors.As(err, &closed) {
				c.t.Fatal(err)
			}
			return closed.code
		}
	}
}
