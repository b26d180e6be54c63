package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// streamClient hears a session over one of the fallbacks.
type streamClient struct {
	t        testing.TB
	http     *http.Client
	base     string
	response *http.Response
	lines    *bufio.Scanner
	connect  message
}

// openStream connects; the first line must be the padded answer.
func openStream(t testing.TB, hc *http.Client, base, transport, token string) *streamClient {
	t.Helper()
	connect := `{"id":1,"connect":{"token":"` + token + `"}}`
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	var r *http.Request
	var err error
	if transport == "sse" {
		r, err = http.NewRequestWithContext(ctx, "GET", base+"/realtime/connection/sse?cf_connect="+url.QueryEscape(connect), nil)
	} else {
		r, err = http.NewRequestWithContext(ctx, "POST", base+"/realtime/connection/http_stream", strings.NewReader(connect))
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &streamClient{t: t, http: hc, base: base}
	if c.response, err = hc.Do(r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.response.Body.Close() })
	if c.response.StatusCode != 200 || c.response.Header.Get("X-Accel-Buffering") != "no" ||
		!strings.Contains(c.response.Header.Get("Cache-Control"), "no-transform") {
		t.Fatalf("%s %v", c.response.Status, c.response.Header)
	}
	c.lines = bufio.NewScanner(c.response.Body)
	c.lines.Buffer(nil, 1<<22)
	if c.lines.Scan(); len(c.lines.Bytes()) < padding {
		t.Fatalf("the first line has %d bytes", len(c.lines.Bytes()))
	}
	c.connect = c.parse()
	return c
}

func (c *streamClient) parse() message {
	c.t.Helper()
	return parseMessage(c.t, bytes.TrimPrefix(c.lines.Bytes(), []byte("data: ")))
}

func (c *streamClient) hear() message {
	c.t.Helper()
	for c.lines.Scan() {
		if len(c.lines.Bytes()) > 0 { // an empty line ends an event
			return c.parse()
		}
	}
	c.t.Fatalf("the stream ended: %v", c.lines.Err())
	return message{}
}

func (c *streamClient) say(lines ...string) int {
	c.t.Helper()
	body, _ := json.Marshal(map[string]string{
		"session": c.connect.Connect.Session, "node": c.connect.Connect.Node, "data": strings.Join(lines, "\n"),
	})
	answer, err := c.http.Post(c.base+"/realtime/emulation", "application/json", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestStreams(t *testing.T) {
	tlsConfig := testConfig()
	tlsConfig.TLSCertFile, tlsConfig.TLSKeyFile = certificateFiles(t)
	plain, secure := start(t, testConfig()), start(t, tlsConfig)
	dialer := &tls.Config{InsecureSkipVerify: true}
	for _, c := range []struct {
		name string
		w    *world
		base string
		t    *http.Transport
	}{
		{"HTTP/1.1", plain, "http://" + plain.address(), &http.Transport{}},
		{"HTTPS/1.1", secure, "https://" + secure.address(), &http.Transport{TLSClientConfig: dialer}},
		{"HTTP/2", secure, "https://" + secure.address(), &http.Transport{TLSClientConfig: dialer, ForceAttemptHTTP2: true}},
	} {
		for _, transport := range []string{"http_stream", "sse"} {
			t.Run(c.name+" "+transport, func(t *testing.T) {
				defer c.t.CloseIdleConnections()
				hc := &http.Client{Transport: c.t}
				s := openStream(t, hc, c.base, transport, "ann@p1")
				if want := strings.TrimPrefix(c.name, "HTTPS/1.1"); want == "HTTP/2" && s.response.ProtoMajor != 2 {
					t.Fatalf("spoke %s", s.response.Proto)
				}
				if status := s.say(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`); status != http.StatusNoContent {
					t.Fatalf("emulation: %d", status)
				}
				if m := s.hear(); m.ID != 2 || m.Subscribe == nil {
					t.Fatalf("subscribe: %+v", m)
				}
				c.w.publish(t, "project/p1/ports", `{"n":1}`)
				c.w.publish(t, "project/p1/ports", `{"n":2}`)
				for _, want := range []string{`{"n":1}`, `{"n":2}`} {
					if m := s.hear(); string(m.Push.Pub.Data) != want || m.Push.Pub.Tags.Channel != "project/p1/ports" {
						t.Fatalf("push: %+v", m.Push)
					}
				}
				s.say(`{"id":3,"rpc":{}}`, `{"id":4,"unsubscribe":{"channel":"project/p1/*"}}`)
				if m := s.hear(); m.ID != 3 || m.Error.Code != 108 {
					t.Fatalf("rpc: %+v", m)
				}
				if m := s.hear(); m.ID != 4 || m.Unsubscribe == nil {
					t.Fatalf("unsubscribe: %+v", m)
				}
				s.say(`not JSON`)
				if m := s.hear(); m.Push == nil || m.Push.Disconnect == nil || m.Push.Disconnect.Code != 3501 {
					t.Fatalf("end: %+v", m)
				}
				if rest, err := io.ReadAll(s.response.Body); err != nil || len(bytes.TrimSpace(rest)) > 0 {
					t.Fatalf("after the end: %q, %v", rest, err)
				}
				eventually(t, "the session is gone", func() bool { return c.w.Sessions() == 0 })
				if status := s.say(`{"id":5,"ping":{}}`); status != http.StatusNoContent {
					t.Fatalf("emulation after the end: %d", status)
				}
				s.connect.Connect.Node = "other"
				if status := s.say(`{"id":5,"ping":{}}`); status != http.StatusNotFound {
					t.Fatalf("emulation for another node: %d", status)
				}
			})
		}
	}
}

func TestStreamEndsWithItsClient(t *testing.T) {
	w := start(t, testConfig())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	s := openStream(t, &http.Client{Transport: transport}, "http://"+w.address(), "http_stream", "ann@p1")
	s.say(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`)
	s.hear()
	s.response.Body.Close()
	eventually(t, "the session is gone", func() bool { return w.Sessions() == 0 })
}

func TestStreamThatStalls(t *testing.T) {
	cfg := testConfig()
	cfg.OutboxBytes = 64 << 10
	w := start(t, cfg)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	hc := &http.Client{Transport: transport}
	stalled := openStream(t, hc, "http://"+w.address(), "http_stream", "ann@p1")
	stalled.say(`{"id":2,"subscribe":{"channel":"project/p1/a"}}`)
	other := openStream(t, hc, "http://"+w.address(), "sse", "ann@p1")
	other.say(`{"id":2,"subscribe":{"channel":"project/p1/b"}}`)
	other.hear()
	data := `"` + strings.Repeat("x", 32<<10) + `"`
	began := time.Now()
	for w.Sessions() > 1 {
		if time.Since(began) > deadline {
			t.Fatal("the stalled client is still there")
		}
		w.publish(t, "project/p1/a", data)
	}
	w.publish(t, "project/p1/b", `1`)
	if m := other.hear(); string(m.Push.Pub.Data) != "1" {
		t.Fatalf("the other client: %+v", m)
	}
}
