package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"horizon-realtime/router/hub"
)

// recorder is a transport that keeps what it is given.
type recorder struct {
	mu    sync.Mutex
	lines [][]byte
}

func (c *recorder) name() string { return "recorder" }

func (c *recorder) send(line []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, bytes.Clone(line))
	return nil
}

func (c *recorder) deliver(b *hub.Batch) error { return c.send(b.Lines()) }
func (c *recorder) forget(string)              {}
func (c *recorder) room() int                  { return 1 << 20 }
func (c *recorder) close(disconnect)           {}

// serveFrames has a session read bytes as a websocket's, to their end.
func serveFrames(t testing.TB, s *Server, session *session, out *outbox, frames []byte, far net.Conn) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(handshake + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	c := &websocket{Conn: out, out: out, session: session}
	from := io.MultiReader(bytes.NewReader(frames), eof{})
	if c.socket, err = s.upgrader.UpgradeFromConn(c, bufio.NewReader(from), r); err != nil {
		t.Fatal(err)
	}
	out.async = true
	session.transport = c
	s.add(session)
	c.read()
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
