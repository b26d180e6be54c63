package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/hub"
)

// drip is how often a hostile client sends one more byte.
const drip = 20 * time.Millisecond

// trickle sends a byte again and again until the connection is closed. Where it
// is not, the deadline ends it.
func trickle(conn net.Conn, b byte) {
	tick := time.NewTicker(drip)
	defer tick.Stop()
	for end := time.Now().Add(deadline); time.Now().Before(end); <-tick.C {
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
		"header":            {handshake + "X-Slow: ", 'x', ""},
		"line breaks":       {"", '\n', "HTTP/1.1 400 "},
		"body of a stream":  {"POST /realtime/connection/http_stream" + post + "{", ' ', "HTTP/1.1 400 "},
		"body of a command": {"POST /realtime/emulation" + post + "{", ' ', "HTTP/1.1 400 "},
		"body for nothing":  {"POST /realtime/nothing" + post + "{", ' ', "HTTP/1.1 404 "},
		"body of a GET":     {"GET /" + post + "{", ' ', "HTTP/1.1 404 "},
		"a frame":           {handshake + "\r\n\x81\xfe\xff\xff", ' ', "HTTP/1.1 101 "},
		"fragments":         {handshake + "\r\n\x01\x81\x00\x00\x00\x00 \x00\xfe\xff\xff", ' ', "HTTP/1.1 101 "},
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
			conn.SetReadDeadline(time.Now().Add(deadline))
			said, err := io.ReadAll(conn)
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Fatal("was not closed")
			}
			conn.Close()
			<-sent
			if !strings.HasPrefix(string(said), c.want) || c.want == "" && len(said) > 0 {
				t.Errorf("was told %q", said)
			}
			if strings.HasPrefix(c.begin, handshake+"\r\n") && !bytes.Contains(said, []byte{0x0d, 0xae}) { // 3502
				t.Errorf("was not told that it is stale: %q", said)
			}
		})
	}
	transport := &http.Transport{}
	hc := &http.Client{Transport: transport}
	socket := w.connected(t, "ann@p1")
	streams := []*streamClient{
		openStream(t, hc, "http://"+w.address(), "http_stream", "ann@p1"),
		openStream(t, hc, "http://"+w.address(), "sse", "ann@p1"),
	}
	t.Cleanup(func() { // all of the above has ended, and so have their times
		socket.subscribe("project/p1/a")
		for _, s := range streams {
			s.say(`{"id":2,"ping":{}}`)
			if m := s.hear(); m.ID != 2 || m.Ping == nil {
				t.Errorf("a stream that behaves heard %+v", m)
			}
			s.response.Body.Close()
		}
		socket.conn.Close()
		transport.CloseIdleConnections()
		l := w.listener.(*listener)
		eventually(t, "all is forgotten", func() bool { return w.admittedNow() == 0 && l.open.Load() == 0 })
	})
}

// TestFramesWithoutEnd has clients that have connected and then begin what they
// never finish: since nothing else can come in between, they answer no ping.
func TestFramesWithoutEnd(t *testing.T) {
	cfg := testConfig()
	cfg.Ping, cfg.PongTimeout = 2*time.Minute, time.Minute
	for name, c := range map[string]struct{ begin, more []byte }{
		"length":          {[]byte{0x81, 0xfe, 0xff}, nil},
		"payload":         {[]byte{0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0, ' '}, nil},
		"fragments":       {maskedFrame(0x01, []byte("{")), nil},
		"empty fragments": {maskedFrame(0x01, []byte("{")), maskedFrame(0x00, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, cfg)
			client := w.connected(t, "ann@p1")
			client.conn.Write(c.begin)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := client.conn.Write(c.more); err != nil || c.more == nil {
						return
					}
				}
			}()
			defer func() { client.conn.Close(); close(stop); <-stopped }()
			turnTo(w, 130*time.Second)
			w.at(200 * time.Second)
			if code := client.ends(); code != 3012 {
				t.Errorf("ended with %d", code)
			}
		})
	}
}

// TestFloods has clients that say more than they may, in all ways there are.
func TestFloods(t *testing.T) {
	cfg := testConfig()
	cfg.CommandsPerSecond, cfg.MaxSubscriptions = 10, 10
	w := start(t, cfg)
	witness := w.connected(t, "bob@p1")
	witness.subscribe("public/a")
	const many = 4000
	text := func(format string) []byte {
		var all []byte
		for i := range many {
			line := format
			if strings.Contains(format, "%") {
				line = fmt.Sprintf(format, i+2)
			}
			all = append(all, maskedFrame(0x81, []byte(line))...)
		}
		return all
	}
	for name, flood := range map[string][]byte{
		"pings":              text(`{"id":%d,"ping":{}}`),
		"pongs":              text(`{}`),
		"sends":              text(`{"send":{"data":1}}`),
		"unknown commands":   text(`{"id":%d,"dance":{}}`),
		"subscribes":         text(`{"id":2,"subscribe":{"channel":"project/p1/t%d"}}`),
		"refused subscribes": text(`{"id":%d,"subscribe":{"channel":"project/p2/a"}}`),
		"comings and goings": text(`{"id":%d,"subscribe":{"channel":"public/a"}}` + "\n" + `{"id":2,"unsubscribe":{"channel":"public/a"}}`),
		"recoveries": text(`{"id":%d,"subscribe":{"channel":"public/a","recover":true,"epoch":"` + epoch(w) + `","offset":0}}` + "\n" +
			`{"id":2,"unsubscribe":{"channel":"public/a"}}`),
		"refreshes":              text(`{"id":%d,"refresh":{"token":"ann@p1"}}`),
		"refreshes of a channel": text(`{"id":%d,"sub_refresh":{"channel":"public/a","token":"t"}}`),
		"empty messages":         text(""),
		"blank lines":            text("\n \r\n"),
		"frames of pings":        bytes.Repeat(maskedFrame(0x89, []byte("are you there?")), many),
		"frames of pongs":        bytes.Repeat(maskedFrame(0x8a, nil), many),
		"one frame":              maskedFrame(0x81, []byte(strings.Repeat(`{"id":2,"ping":{}}`+"\n", 3000))),
	} {
		t.Run(name, func(t *testing.T) {
			c := w.connected(t, "ann@p1")
			sent := make(chan struct{})
			go func() { defer close(sent); c.conn.Write(flood) }()
			answers := 0
			for {
				first, payload, err := c.frame()
				if err != nil {
					t.Fatalf("ended without a close frame: %v", err)
				}
				if first == 0x88 {
					if len(payload) < 2 || uint16(payload[0])<<8|uint16(payload[1]) != 3013 {
						t.Errorf("ended with % x", payload)
					}
					break
				}
				answers += bytes.Count(payload, []byte{'\n'}) + 1
			}
			c.conn.Close()
			<-sent
			// What it had saved up, and what it has earned meanwhile.
			if most := w.savings() + 100; answers > most {
				t.Errorf("%d answers, more than %d", answers, most)
			}
		})
	}
	t.Run("requests", func(t *testing.T) {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		s := openStream(t, &http.Client{Transport: transport}, "http://"+w.address(), "http_stream", "ann@p1")
		for range 20 {
			if status := s.say(strings.Repeat(`{"id":2,"ping":{}}`+"\n", 50)); status != http.StatusNoContent {
				t.Errorf("emulation: %d", status)
			}
		}
		for {
			if m := s.hear(); m.Push != nil && m.Push.Disconnect != nil {
				if m.Push.Disconnect.Code != 3013 {
					t.Errorf("ended with %+v", m.Push.Disconnect)
				}
				break
			}
		}
	})
	w.publish(t, "public/a", `1`)
	if m := witness.hear(); m.Push == nil || string(m.Push.Pub.Data) != "1" {
		t.Errorf("the witness heard %+v", m)
	}
	witness.conn.Close()
	eventually(t, "all sessions are gone", func() bool { return w.Sessions() == 0 && w.subscriptions(t) == 0 })
}

// heap is what is in use once garbage is gone, in bytes.
func heap() int {
	runtime.GC()
	runtime.GC() // what pools had given up is gone after the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestHostileMemory has many clients make the server keep as much as it can be
// made to keep for each.
func TestHostileMemory(t *testing.T) {
	const clients = 200
	cfg := testConfig()
	cfg.MaxConnectionsPerUser = 0
	cfg.FrameBytes, cfg.OutboxBytes = 16<<10, 64<<10
	// A connection with its goroutine, gws's share, and this test's own end of it.
	const other = 24 << 10
	for name, c := range map[string]struct {
		send  []byte
		bound int
	}{
		"a frame that is not finished":     {append([]byte{0x81, 0xfe, 0x3f, 0xff, 0, 0, 0, 0}, make([]byte, 16000)...), cfg.FrameBytes},
		"a message that is not finished":   {maskedFrame(0x01, make([]byte, 16000)), cfg.FrameBytes},
		"fragments, and one not finished":  {append(append(maskedFrame(0x01, make([]byte, 8000)), maskedFrame(0x00, make([]byte, 8000))...), 0x00, 0xfe, 0x3f, 0xff, 0, 0, 0, 0, 1), 4 * cfg.FrameBytes},
		"a subscription, and never a read": {maskedFrame(0x81, []byte(`{"id":2,"subscribe":{"channel":"public/flood"}}`)), 2 * cfg.OutboxBytes},
	} {
		t.Run(name, func(t *testing.T) {
			hubConfig := hub.DefaultConfig()
			// Bounded too, but not by the client.
			hubConfig.HistorySize, hubConfig.MessageBytes, hubConfig.QueueBytes = 0, 128<<10, 128<<10
			w := startWith(t, cfg, hubConfig)
			before := heap()
			conns := make([]net.Conn, clients)
			for i := range conns {
				client := w.connected(t, "ann@p1")
				client.conn.Write(c.send)
				conns[i], client.br = client.conn, bufio.NewReaderSize(nil, 16)
			}
			if strings.HasPrefix(name, "a subscription") {
				eventually(t, "all are subscribed", func() bool { return w.subscriptions(t) == clients })
				for range 64 { // four megabytes for each
					w.publish(t, "public/flood", `"`+strings.Repeat("x", 64<<10)+`"`)
				}
			}
			eventually(t, "the server has read what it was sent", func() bool { return allRead(t, conns) })
			if each := (heap() - before) / clients; each > c.bound+other {
				t.Errorf("%d bytes a client, over %d", each, c.bound+other)
			} else {
				t.Logf("%d bytes a client", each)
			}
			for _, conn := range conns {
				conn.Close()
			}
			eventually(t, "all sessions are gone", func() bool { return w.Sessions() == 0 && w.admittedNow() == 0 })
			eventually(t, "their memory is free", func() bool { return heap()-before < clients*other/4 })
		})
	}
}
