package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// clients is a crowd of websocket connections that speak just enough of the
// protocol to subscribe, and count what they are sent.
type clients struct {
	conns     []net.Conn
	delivered atomic.Int64
	// What may be set before dial: onPush sees the bytes of what has just
	// arrived; stalled clients never read once they are subscribed; window is
	// the socket's receive buffer in bytes, 0 for the system's own.
	onPush  func(client int, read []byte)
	stalled bool
	window  int
}

// dial connects n clients, each subscribed to channel(i) (several names have
// blanks between them) with token(i), and returns when all subscriptions are
// confirmed. Several loopback addresses serve where one would run out of ports.
func (c *clients) dial(addr, path string, n int, channel, token func(i int) string) error {
	c.conns = make([]net.Conn, n)
	var g errgroup.Group
	g.SetLimit(32)
	for i := range n {
		g.Go(func() error {
			conn, err := c.subscribe(addr, path, strings.Fields(channel(i)), token(i), i)
			if err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			c.conns[i] = conn
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		c.close()
		return err
	}
	for i, conn := range c.conns {
		if !c.stalled {
			go c.count(i, conn)
		}
	}
	return nil
}

func (c *clients) close() {
	for _, conn := range c.conns {
		if conn != nil {
			conn.Close()
		}
	}
}

// wait blocks until n publications have arrived in all, or the time is up.
func (c *clients) wait(n int64, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for c.delivered.Load() < n {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d deliveries after %s", c.delivered.Load(), n, limit)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

var pushMark = []byte(`"push":{"channel"`)

// count reads until the connection ends. It looks for the mark of a push
// instead of parsing, so that the crowd leaves the processor to the server.
func (c *clients) count(i int, conn net.Conn) {
	buf := make([]byte, 4<<10)
	kept := 0
	for {
		n, err := conn.Read(buf[kept:])
		if err != nil {
			return
		}
		end := kept + n
		if c.onPush != nil {
			c.onPush(i, buf[:end])
		}
		c.delivered.Add(int64(bytes.Count(buf[:end], pushMark)))
		// A mark may lie across two reads: keep what could be its beginning.
		kept = min(len(pushMark)-1, end)
		copy(buf, buf[end-kept:end])
	}
}

func (c *clients) subscribe(addr, path string, channels []string, token string, i int) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%100))}, Timeout: 10 * time.Second}
	if c.window > 0 {
		// Before the handshake, or the other side has been promised more.
		dialer.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			outer := raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, c.window)
			})
			return errors.Join(outer, err)
		}
	}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, addr)
	in := bufio.NewReaderSize(conn, 4<<10)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		conn.Close()
		return nil, fmt.Errorf("upgrade: %v %v", resp, err)
	}
	command := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token)
	for id, channel := range channels {
		command += fmt.Sprintf("\n"+`{"id":%d,"subscribe":{"channel":%q}}`, id+2, channel)
	}
	if _, err := conn.Write(maskedText(command)); err != nil {
		conn.Close()
		return nil, err
	}
	var got []byte
	last := fmt.Appendf(nil, `"id":%d`, len(channels)+1)
	for !bytes.Contains(got, last) {
		chunk := make([]byte, 4<<10)
		n, err := in.Read(chunk)
		if err != nil {
			conn.Close()
			return nil, fmt.Errorf("subscribe: %w after %q", err, got)
		}
		got = append(got, chunk[:n]...)
	}
	if bytes.Contains(got, []byte(`"error"`)) {
		conn.Close()
		return nil, fmt.Errorf("subscribe: %s", got)
	}
	conn.SetDeadline(time.Time{})
	return conn, nil
}

// shortText is one text frame of up to 125 bytes as a client sends it, with a mask of
// zero.
func shortText(payload string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// maskedText is one text frame as a client sends it. The mask is zero, which
// leaves the payload as it is.
func maskedText(payload string) []byte {
	frame := []byte{0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(frame[2:], uint16(len(payload)))
	return append(frame, payload...)
}
