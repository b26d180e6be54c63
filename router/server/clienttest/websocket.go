package clienttest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/testwait"
)

// Websocket is a client over a websocket that does what it is told, good or bad.
type Websocket struct {
	t       testing.TB
	Conn    net.Conn
	Reader  *bufio.Reader // of Conn
	pending [][]byte      // messages of a frame that were not asked for yet
}

// Closed is the error of a websocket that the server ended.
type Closed struct {
	Code   uint16
	Reason string
}

func (e *Closed) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Reason) }

// Handshake is the request that opens a websocket, but for more headers and the
// empty line that ends them.
const Handshake = "GET /realtime/connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" +
	"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// Dial opens a websocket on conn, with some bytes sent right behind the handshake.
func Dial(t testing.TB, conn net.Conn, early ...[]byte) *Websocket {
	t.Helper()
	c, answer := open(t, conn, "", early...)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %s", answer.Status)
	}
	return c
}

// DialTCP opens a websocket to an address.
func DialTCP(t testing.TB, address string, early ...[]byte) *Websocket {
	t.Helper()
	return Dial(t, dial(t, address), early...)
}

// Open sends a handshake with more headers, each with its line break, and gives
// the answer, whatever it is.
func Open(t testing.TB, address, headers string) (*Websocket, *http.Response) {
	t.Helper()
	return open(t, dial(t, address), headers)
}

// DialDeflating opens a websocket that offers to compress, as browsers do, and
// also gives the extensions that the server has chosen.
func DialDeflating(t testing.TB, address string) (c *Websocket, extensions string) {
	t.Helper()
	c, answer := Open(t, address, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	return c, answer.Header.Get("Sec-WebSocket-Extensions")
}

// Connect opens a websocket and connects with a token.
func Connect(t testing.TB, address, token string) *Websocket {
	t.Helper()
	c := DialTCP(t, address)
	c.Connect(token)
	return c
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func open(t testing.TB, conn net.Conn, headers string, early ...[]byte) (*Websocket, *http.Response) {
	t.Helper()
	c := &Websocket{t: t, Conn: conn, Reader: bufio.NewReader(conn)}
	t.Cleanup(func() { conn.Close() })
	request := append([]byte(Handshake+headers+"\r\n"), bytes.Join(early, nil)...)
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(testwait.Limit))
	answer, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, answer
}

// Status sends a request as it stands, and gives the status it is answered with.
func Status(t testing.TB, address, request string) string {
	t.Helper()
	conn := dial(t, address)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testwait.Limit))
	io.WriteString(conn, request)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status
}

// MaskedFrame is a frame as a client has to send it.
func MaskedFrame(first byte, payload []byte) []byte {
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

// Say sends commands in one frame, a line each.
func (c *Websocket) Say(lines ...string) {
	c.t.Helper()
	if _, err := c.Conn.Write(MaskedFrame(0x81, []byte(strings.Join(lines, "\n")))); err != nil {
		c.t.Fatal(err)
	}
}

// Connect sends the connect command, and takes the answer, which must be good.
func (c *Websocket) Connect(token string) {
	c.t.Helper()
	c.Say(`{"id":1,"connect":{"token":"` + token + `"}}`)
	if m := c.Hear(); m.Connect == nil {
		c.t.Fatalf("connect: %+v", m)
	}
}

// Subscribe sends a subscribe command, and gives the result.
func (c *Websocket) Subscribe(channel string) *Subscribed {
	c.t.Helper()
	c.Say(`{"id":1000,"subscribe":{"channel":"` + channel + `"}}`)
	m := c.Hear()
	if m.ID != 1000 || m.Subscribe == nil {
		c.t.Fatalf("subscribe to %s: %+v, error %+v", channel, m, m.Error)
	}
	return m.Subscribe
}

// Frame reads one frame.
func (c *Websocket) Frame() (first byte, payload []byte, err error) {
	c.Conn.SetReadDeadline(time.Now().Add(testwait.Limit))
	var head [8]byte
	if _, err = io.ReadFull(c.Reader, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	n := int(head[1])
	switch n {
	case 126:
		_, err = io.ReadFull(c.Reader, head[:2])
		n = int(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(c.Reader, head[:8])
		n = int(binary.BigEndian.Uint64(head[:8]))
	}
	if err != nil {
		return 0, nil, err
	}
	if n > 64<<20 {
		return 0, nil, errors.New("masked or absurd frame")
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.Reader, payload)
	return first, payload, err
}

// Next gives the next message, or a *Closed.
func (c *Websocket) Next() ([]byte, error) {
	for len(c.pending) == 0 {
		first, payload, err := c.Frame()
		if err != nil {
			return nil, err
		}
		switch first {
		case 0x81:
			c.pending = bytes.Split(payload, []byte{'\n'})
		case 0x88:
			if len(payload) < 2 {
				return nil, &Closed{}
			}
			return nil, &Closed{binary.BigEndian.Uint16(payload), string(payload[2:])}
		default:
			return nil, fmt.Errorf("frame %x: %q", first, payload)
		}
	}
	m := c.pending[0]
	c.pending = c.pending[1:]
	return m, nil
}

// Hear gives the next message, parsed.
func (c *Websocket) Hear() Message {
	c.t.Helper()
	line, err := c.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return Parse(c.t, line)
}

// Ends reads on until the server ends the connection, and gives the code.
func (c *Websocket) Ends() uint16 {
	c.t.Helper()
	for {
		if _, err := c.Next(); err != nil {
			var closed *Closed
			if !errors.As(err, &closed) {
				c.t.Fatal(err)
			}
			return closed.Code
		}
	}
}
