package transport

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/testwait"
)

func TestStreams(t *testing.T) {
	cfg := testConfig()
	plain := start(t, cfg)
	cfg.tls = true
	secure := start(t, cfg)
	dialer := &tls.Config{InsecureSkipVerify: true}
	for _, c := range []struct {
		name string
		w    *world
		t    *http.Transport
	}{
		{"HTTP/1.1", plain, &http.Transport{}},
		{"HTTPS/1.1", secure, &http.Transport{TLSClientConfig: dialer}},
		{"HTTP/2", secure, &http.Transport{TLSClientConfig: dialer, ForceAttemptHTTP2: true}},
	} {
		for _, transport := range []string{"http_stream", "sse"} {
			t.Run(c.name+" "+transport, func(t *testing.T) {
				defer c.t.CloseIdleConnections()
				s := clienttest.OpenStream(t, &http.Client{Transport: c.t}, c.w.http.URL, transport, "ann@p1")
				if s.Padding < padding {
					t.Errorf("the first line has %d bytes", s.Padding)
				}
				if h := s.Response.Header; h.Get("X-Accel-Buffering") != "no" || !strings.Contains(h.Get("Cache-Control"), "no-transform") {
					t.Errorf("headers %v", h)
				}
				if c.name == "HTTP/2" && s.Response.ProtoMajor != 2 {
					t.Fatalf("spoke %s", s.Response.Proto)
				}
				s.Say(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`)
				if m := s.Hear(); m.ID != 2 || m.Subscribe == nil {
					t.Fatalf("subscribe: %+v", m)
				}
				c.w.hub.Say(t, "project/p1/ports", `{"n":1}`)
				c.w.hub.Say(t, "project/p1/ports", `{"n":2}`)
				for _, want := range []string{`{"n":1}`, `{"n":2}`} {
					if m := s.Hear(); string(m.Push.Pub.Data) != want || m.Push.Pub.Tags.Channel != "project/p1/ports" {
						t.Fatalf("push: %+v", m.Push)
					}
				}
				s.Say(`{"id":3,"rpc":{}}`, `{"id":4,"unsubscribe":{"channel":"project/p1/*"}}`)
				if m := s.Hear(); m.ID != 3 || m.Error.Code != 108 {
					t.Fatalf("rpc: %+v", m)
				}
				if m := s.Hear(); m.ID != 4 || m.Unsubscribe == nil {
					t.Fatalf("unsubscribe: %+v", m)
				}
				s.Say(`not JSON`)
				if m := s.Hear(); m.Push == nil || m.Push.Disconnect == nil || m.Push.Disconnect.Code != 3501 {
					t.Fatalf("end: %+v", m)
				}
				if rest := s.Rest(); rest != "" {
					t.Fatalf("after the end: %q", rest)
				}
				testwait.Until(t, "the session is gone", func() bool { return c.w.sessions.Len() == 0 })
				s.Say(`{"id":5,"ping":{}}`)
				s.Connected.Connect.Node = "other"
				if status := s.Emulate(`{"id":5,"ping":{}}`); status != http.StatusNotFound {
					t.Fatalf("emulation for another node: %d", status)
				}
			})
		}
	}
}

// TestEmulationNeedsTheSecret: nobody's commands reach a session but those of its
// own client, not even with the id that presence tells others.
func TestEmulationNeedsTheSecret(t *testing.T) {
	w := start(t, testConfig())
	ann := w.stream(t, "http_stream", "ann@p1")
	own := ann.Connected.Connect.Session
	for _, guess := range []string{"", ann.Connected.Connect.Client, own[1:], own + "A", strings.ToLower(own)} {
		ann.Connected.Connect.Session = guess
		ann.Say(`{"id":2,"subscribe":{"channel":"project/p1/a"}}`)
	}
	bob := w.stream(t, "sse", "bob@p2")
	bob.Say(`{"id":3,"ping":{}}`)
	ann.Connected.Connect.Session = own
	ann.Say(`{"id":4,"ping":{}}`)
	if m := ann.Hear(); m.ID != 4 {
		t.Errorf("ann heard %+v", m)
	}
	if m := bob.Hear(); m.ID != 3 {
		t.Errorf("bob heard %+v", m)
	}
	if n := w.subscriptions(t); n > 0 {
		t.Errorf("there are %d subscriptions", n)
	}
}

func TestStreamEndsWithItsClient(t *testing.T) {
	w := start(t, testConfig())
	s := w.stream(t, "http_stream", "ann@p1")
	s.Say(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`)
	s.Hear()
	s.Response.Body.Close()
	w.nobodyIsLeft(t)
}

// TestStreamIsBounded fills a stream that nobody reads.
func TestStreamIsBounded(t *testing.T) {
	const limit = 64 << 10
	c := &stream{
		limit: limit, slow: startSlowRules(t, testConfig()),
		control: http.NewResponseController(httptest.NewRecorder()), wake: make(chan struct{}, 1), padded: true,
	}
	line := []byte(strings.Repeat("x", 1000))
	for range 2 * limit / len(line) {
		if err := c.Send(line); err != nil {
			if !errors.Is(err, session.ErrSlow) || len(c.waiting) < limit-2*len(line) {
				t.Errorf("%v with %d bytes", err, len(c.waiting))
			}
			return
		}
	}
	t.Errorf("%d bytes wait, over the bound of %d", len(c.waiting), limit)
}

func TestStreamThatStalls(t *testing.T) {
	cfg := testConfig()
	cfg.OutboxBytes = 64 << 10
	w := start(t, cfg)
	stalled := w.stream(t, "http_stream", "ann@p1")
	stalled.Say(`{"id":2,"subscribe":{"channel":"project/p1/a"}}`)
	stalled.Hear()
	other := w.stream(t, "sse", "ann@p1")
	other.Say(`{"id":2,"subscribe":{"channel":"project/p1/b"}}`)
	other.Hear()
	data := `"` + strings.Repeat("x", 32<<10) + `"`
	for range 512 { // far more than sockets take
		w.hub.Say(t, "project/p1/a", data)
	}
	testwait.Until(t, "the stalled client is gone", func() bool { return w.sessions.Len() == 1 })
	w.hub.Say(t, "project/p1/b", `1`)
	if m := other.Hear(); string(m.Push.Pub.Data) != "1" {
		t.Fatalf("the other client: %+v", m)
	}
}

// TestBodies: what a client sends in one request is bounded, over all that take one.
func TestBodies(t *testing.T) {
	w := start(t, testConfig())
	large := strings.Repeat(" ", w.cfg.FrameBytes+1)
	for path, want := range map[string]int{
		"/realtime/connection/http_stream": http.StatusRequestEntityTooLarge,
		"/realtime/emulation":              http.StatusRequestEntityTooLarge,
	} {
		answer, err := http.Post(w.http.URL+path, "application/json", strings.NewReader(large))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	w.nobodyIsLeft(t)
}
