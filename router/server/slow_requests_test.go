package server

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// drip is how often a hostile client sends one more byte.
const drip = 20 * time.Millisecond

// trickle sends a byte again and again until the connection is closed. Where it
// is not, the testwait.Limit ends it.
func trickle(conn net.Conn, b byte) {
	tick := time.NewTicker(drip)
	defer tick.Stop()
	for end := time.Now().Add(testwait.Limit); time.Now().Before(end); <-tick.C {
		if _, err := conn.Write([]byte{b}); err != nil {
			return
		}
	}
}

// TestSlowRequests has clients that send a request, or a frame before they have
// connected, a byte at a time and without end.
func TestSlowRequests(t *testing.T) {
	cfg := testConfig()
	cfg.ConnectTimeout = time.Second
	w := start(t, cfg)
	const post = " HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n"
	for name, c := range map[string]struct {
		begin string
		more  byte
		want  string // how what the server says begins; empty: it says nothing
	}{
		"request line":      {"GET /realtime/", 'x', "HTTP/1.1 400 "},
		"header":            {clienttest.Handshake + "X-Slow: ", 'x', ""},
		"line breaks":       {"", '\n', "HTTP/1.1 400 "},
		"body of a stream":  {"POST /realtime/connection/http_stream" + post + "{", ' ', "HTTP/1.1 400 "},
		"body of a command": {"POST /realtime/emulation" + post + "{", ' ', "HTTP/1.1 400 "},
		"body for nothing":  {"POST /realtime/nothing" + post + "{", ' ', "HTTP/1.1 404 "},
		"body of a GET":     {"GET /" + post + "{", ' ', "HTTP/1.1 404 "},
		"a frame":           {clienttest.Handshake + "\r\n\x81\xfe\xff\xff", ' ', "HTTP/1.1 101 "},
		"fragments":         {clienttest.Handshake + "\r\n\x01\x81\x00\x00\x00\x00 \x00\xfe\xff\xff", ' ', "HTTP/1.1 101 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", w.address())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, c.begin)
			sent := make(chan struct{})
			go func() { defer close(sent); trickle(conn, c.more) }()
			conn.SetReadDeadline(time.Now().Add(testwait.Limit))
			said, err := io.ReadAll(conn)
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Fatal("was not closed")
			}
			conn.Close()
			<-sent
			if !strings.HasPrefix(string(said), c.want) || c.want == "" && len(said) > 0 {
				t.Errorf("was told %q", said)
			}
			if strings.HasPrefix(c.begin, clienttest.Handshake+"\r\n") && !bytes.Contains(said, []byte{0x0d, 0xae}) { // 3502
				t.Errorf("was not told that it is stale: %q", said)
			}
		})
	}
	transport := &http.Transport{}
	hc := &http.Client{Transport: transport}
	socket := w.connected(t, "ann@p1")
	streams := []*clienttest.Stream{
		clienttest.OpenStream(t, hc, "http://"+w.address(), "http_stream", "ann@p1"),
		clienttest.OpenStream(t, hc, "http://"+w.address(), "sse", "ann@p1"),
	}
	t.Cleanup(func() { // all of the above has ended, and so have their times
		socket.Subscribe("project/p1/a")
		for _, s := range streams {
			s.Say(`{"id":2,"ping":{}}`)
			if m := s.Hear(); m.ID != 2 || m.Ping == nil {
				t.Errorf("a stream that behaves heard %+v", m)
			}
			s.Response.Body.Close()
		}
		socket.Conn.Close()
		transport.CloseIdleConnections()
		w.nobodyIsLeft(t)
	})
}
