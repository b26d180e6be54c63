package transport

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// TestFramesWithoutEnd has clients that have connected and then begin what they
// never finish: since nothing else can come in between, they answer no ping.
func TestFramesWithoutEnd(t *testing.T) {
	cfg := testConfig()
	cfg.Ping, cfg.PongTimeout = 300*time.Millisecond, 100*time.Millisecond
	for name, c := range map[string]struct{ begin, more []byte }{
		"length":          {[]byte{0x81, 0xfe, 0xff}, nil},
		"payload":         {[]byte{0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0, ' '}, nil},
		"fragments":       {clienttest.MaskedFrame(0x01, []byte("{")), nil},
		"empty fragments": {clienttest.MaskedFrame(0x01, []byte("{")), clienttest.MaskedFrame(0x00, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, cfg)
			client := w.connected(t, "ann@p1")
			client.Conn.Write(c.begin)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := client.Conn.Write(c.more); err != nil || c.more == nil {
						return
					}
				}
			}()
			defer func() { client.Conn.Close(); close(stop); <-stopped }()
			if code := client.Ends(); code != 3012 {
				t.Errorf("ended with %d", code)
			}
		})
	}
}

// TestFloods has clients that say more than they may, in all ways there are.
func TestFloods(t *testing.T) {
	cfg := testConfig()
	cfg.CommandsPerSecond, cfg.MaxSubscriptions = 10, 10
	const burst = 10 + 2*10
	w := start(t, cfg)
	witness := w.connected(t, "bob@p1")
	witness.Subscribe("public/a")
	const many = 4000
	text := func(format string) []byte {
		var all []byte
		for i := range many {
			line := format
			if strings.Contains(format, "%") {
				line = fmt.Sprintf(format, i+2)
			}
			all = append(all, clienttest.MaskedFrame(0x81, []byte(line))...)
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
		"recoveries": text(`{"id":%d,"subscribe":{"channel":"public/a","recover":true,"epoch":"` + w.hub.Epoch() + `","offset":0}}` + "\n" +
			`{"id":2,"unsubscribe":{"channel":"public/a"}}`),
		"refreshes":              text(`{"id":%d,"refresh":{"token":"ann@p1"}}`),
		"refreshes of a channel": text(`{"id":%d,"sub_refresh":{"channel":"public/a","token":"t"}}`),
		"empty messages":         text(""),
		"blank lines":            text("\n \r\n"),
		"frames of pings":        bytes.Repeat(clienttest.MaskedFrame(0x89, []byte("are you there?")), many),
		"frames of pongs":        bytes.Repeat(clienttest.MaskedFrame(0x8a, nil), many),
		"one frame":              clienttest.MaskedFrame(0x81, []byte(strings.Repeat(`{"id":2,"ping":{}}`+"\n", 3000))),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			c := w.connected(t, "ann@p1")
			sent := make(chan struct{})
			go func() { defer close(sent); c.Conn.Write(flood) }()
			answers := 0
			for {
				first, payload, err := c.Frame()
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
			c.Conn.Close()
			<-sent
			// What it had saved up, and what it has earned meanwhile.
			if most := burst + int(time.Since(began).Seconds()*float64(cfg.CommandsPerSecond)) + 1; answers > most {
				t.Errorf("%d answers, more than %d", answers, most)
			}
		})
	}
	t.Run("requests", func(t *testing.T) {
		s := w.stream(t, "http_stream", "ann@p1")
		for range 20 {
			s.Say(strings.Repeat(`{"id":2,"ping":{}}`+"\n", 50))
		}
		for {
			if m := s.Hear(); m.Push != nil && m.Push.Disconnect != nil {
				if m.Push.Disconnect.Code != 3013 {
					t.Errorf("ended with %+v", m.Push.Disconnect)
				}
				break
			}
		}
	})
	w.hub.Say(t, "public/a", `1`)
	if m := witness.Hear(); m.Push == nil || string(m.Push.Pub.Data) != "1" {
		t.Errorf("the witness heard %+v", m)
	}
	witness.Conn.Close()
	w.nobodyIsLeft(t)
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
		"a message that is not finished":   {clienttest.MaskedFrame(0x01, make([]byte, 16000)), cfg.FrameBytes},
		"fragments, and one not finished":  {append(append(clienttest.MaskedFrame(0x01, make([]byte, 8000)), clienttest.MaskedFrame(0x00, make([]byte, 8000))...), 0x00, 0xfe, 0x3f, 0xff, 0, 0, 0, 0, 1), 4 * cfg.FrameBytes},
		"a subscription, and never a read": {clienttest.MaskedFrame(0x81, []byte(`{"id":2,"subscribe":{"channel":"public/flood"}}`)), 2 * cfg.OutboxBytes},
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
				client.Conn.Write(c.send)
				conns[i], client.Reader = client.Conn, bufio.NewReaderSize(nil, 16)
			}
			if strings.HasPrefix(name, "a subscription") {
				testwait.Until(t, "all are subscribed", func() bool { return w.subscriptions(t) == clients })
				for range 64 { // four megabytes for each
					w.hub.Say(t, "public/flood", `"`+strings.Repeat("x", 64<<10)+`"`)
				}
			}
			testwait.Until(t, "the server has read what it was sent", func() bool { return allRead(t, conns) })
			if each := (heap() - before) / clients; each > c.bound+other {
				t.Errorf("%d bytes a client, over %d", each, c.bound+other)
			} else {
				t.Logf("%d bytes a client", each)
			}
			for _, conn := range conns {
				conn.Close()
			}
			w.nobodyIsLeft(t)
			testwait.Until(t, "their memory is free", func() bool { return heap()-before < clients*other/4 })
		})
	}
}
