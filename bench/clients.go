package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// clients is a crowd of websocket connections that speak just enough of the
// protocol to subscribe, and count what they are sent.
type clients struct {
	conns     []net.Conn
	delivered atomic.Int64
	// onPush, if set before dial, sees the bytes of what has just arrived.
	onPush func(client int, read []byte)
}

// dial connects n clients, each subscribed to channel(i) with token(i), and
// returns when all subscriptions are confirmed. Several loopback addresses
// serve where one would run out of ports.
func (c *clients) dial(addr, path string, n int, channel, token func(i int) string) error {
	c.conns = make([]net.Conn, n)
	var g errgroup.Group
	g.SetLimit(32)
	for i := range n {
		g.Go(func() error {
			conn, err := subscribe(addr, path, channel(i), token(i), i)
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
		go c.count(i, conn)
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

var pushMark = []byte(`"push"`)

// count reads until the connection ends. It looks for the mark of a push
// instead of parsing, so that the crowd leaves the processor to the server.
func (c *clients) count(i int, conn net.Conn) {
	buf := make([]byte, 16<<10)
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

func subscribe(addr, path, channel, token string, i int) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%100))}, Timeout: 10 * time.Second}
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
	command := fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`+"\n"+`{"id":2,"subscribe":{"channel":%q}}`, token, channel)
	if _, err := conn.Write(maskedText(command)); err != nil {
		conn.Close()
		return nil, err
	}
	var got []byte
	for !bytes.Contains(got, []byte(`"id":2`)) {
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

// maskedText is one text frame as a client sends it. The mask is zero, which
// leaves the payload as it is.
func maskedText(payload string) []byte {
	frame := []byte{0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(frame[2:], uint16(len(payload)))
	return append(frame, payload...)
}
