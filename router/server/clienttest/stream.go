package clienttest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Stream is a client over one of the fallbacks.
type Stream struct {
	t        testing.TB
	http     *http.Client
	base     string
	lines    *bufio.Scanner
	Response *http.Response
	// Connected is the answer to the connect command.
	Connected Message
	// Padding is the length of the first line.
	Padding int
}

// StreamRequest is the request that opens a fallback, http_stream or sse, with its
// first commands.
func StreamRequest(t testing.TB, base, transport, commands string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", base+"/realtime/connection/http_stream", strings.NewReader(commands))
	if transport == "sse" {
		r, err = http.NewRequest("GET", base+"/realtime/connection/sse?cf_connect="+url.QueryEscape(commands), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// OpenStream connects over http_stream or sse. base is the server's URL.
func OpenStream(t testing.TB, hc *http.Client, base, transport, token string) *Stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r := StreamRequest(t, base, transport, `{"id":1,"connect":{"token":"`+token+`"}}`).WithContext(ctx)
	c := &Stream{t: t, http: hc, base: base}
	var err error
	if c.Response, err = hc.Do(r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Response.Body.Close() })
	if c.Response.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", c.Response.Status, c.Response.Header)
	}
	c.lines = bufio.NewScanner(c.Response.Body)
	c.lines.Buffer(nil, 1<<22)
	c.lines.Scan()
	c.Padding = len(c.lines.Bytes())
	c.Connected = c.parse()
	return c
}

func (c *Stream) parse() Message {
	c.t.Helper()
	return Parse(c.t, bytes.TrimPrefix(c.lines.Bytes(), []byte("data: ")))
}

// Hear gives the next message.
func (c *Stream) Hear() Message {
	c.t.Helper()
	for c.lines.Scan() {
		if len(c.lines.Bytes()) > 0 { // an empty line ends an event
			return c.parse()
		}
	}
	c.t.Fatalf("the stream ended: %v", c.lines.Err())
	return Message{}
}

// Rest reads to the end of the stream, and gives the first line that there still
// was.
func (c *Stream) Rest() string {
	for c.lines.Scan() {
		if len(c.lines.Bytes()) > 0 {
			return c.lines.Text()
		}
	}
	if err := c.lines.Err(); err != nil {
		c.t.Errorf("the stream broke: %v", err)
	}
	return ""
}

// Say posts commands, a line each, which must be taken.
func (c *Stream) Say(lines ...string) {
	c.t.Helper()
	if status := c.Emulate(lines...); status != http.StatusNoContent {
		c.t.Fatalf("emulation: %d", status)
	}
}

// Emulate posts commands, a line each, and gives the status.
func (c *Stream) Emulate(lines ...string) int {
	c.t.Helper()
	body, _ := json.Marshal(map[string]string{
		"session": c.Connected.Connect.Session, "node": c.Connected.Connect.Node, "data": strings.Join(lines, "\n"),
	})
	answer, err := c.http.Post(c.base+"/realtime/emulation", "application/json", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
