package transport

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// pair gives both ends of a TCP connection, the near one as an outbox.
func pair(t testing.TB, limit int) (*outbox, *net.TCPConn, *sync.WaitGroup) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near.(*net.TCPConn).SetWriteBuffer(128 << 10)
	var flushers sync.WaitGroup
	o := newOutbox(near, limit, &flushers)
	o.async = true
	t.Cleanup(func() { far.Close(); o.Close(); flushers.Wait() })
	return o, far.(*net.TCPConn), &flushers
}

func TestOutboxKeepsOrderPastAStall(t *testing.T) {
	o, far, flushers := pair(t, 1<<20)
	var want bytes.Buffer
	for i := range 4000 { // some megabytes, until the socket is full and more
		frame := bytes.Repeat([]byte{byte(i)}, 1+i%2000)
		if !o.fits(len(frame)) {
			break
		}
		if _, err := o.Write(frame); err != nil {
			t.Fatal(err)
		}
		want.Write(frame)
		if waiting := o.waiting.Load(); waiting > 1<<20 {
			t.Fatalf("%d bytes wait, over the bound", waiting)
		}
	}
	if o.waiting.Load() == 0 || o.fits(1<<20) {
		t.Fatal("the socket took everything")
	}
	got := make([]byte, want.Len())
	far.SetReadDeadline(time.Now().Add(testwait.Limit))
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("what came is not what was written: %v", err)
	}
	flushers.Wait() // it ends when nothing waits
	if o.waiting.Load() != 0 || o.rest != nil || !o.fits(1<<20) {
		t.Errorf("%d bytes are still waiting", o.waiting.Load())
	}
	o.Write([]byte("end"))
	if _, err := io.ReadFull(far, got[:3]); err != nil || string(got[:3]) != "end" {
		t.Errorf("after the stall: %q %v", got[:3], err)
	}
}

func TestOutboxOfABrokenConnection(t *testing.T) {
	o, far, flushers := pair(t, 1<<20)
	for o.fits(64 << 10) {
		o.Write(make([]byte, 64<<10))
	}
	far.SetLinger(0)
	far.Close()
	flushers.Wait()
	if _, err := o.Write([]byte("x")); err == nil {
		t.Error("a broken connection takes more")
	}
	o.settle()
	o.hangUp()
	if err := o.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestOutboxWritesAllocateNothing(t *testing.T) {
	o, far, _ := pair(t, 1<<20)
	go io.Copy(io.Discard, far)
	frame := make([]byte, 300)
	if n := testing.AllocsPerRun(1000, func() { o.Write(frame) }); n > 0 {
		t.Errorf("%v allocations for a write", n)
	}
}

// stall subscribes a client that reads nothing, and publishes far more than the
// server may keep for it.
func stall(t *testing.T, w *world, c *clienttest.Websocket) {
	t.Helper()
	c.Subscribe("project/p1/a")
	w.mu.Lock()
	out := w.outboxes[0]
	w.mu.Unlock()
	data := `"` + strings.Repeat("x", 16<<10) + `"`
	for range 256 {
		w.hub.Say(t, "project/p1/a", data)
		if waiting := int(out.waiting.Load()); waiting > w.cfg.OutboxBytes+1024 {
			t.Fatalf("%d bytes wait for the client, over the bound of %d", waiting, w.cfg.OutboxBytes)
		}
	}
}

func TestStalledClient(t *testing.T) {
	for _, name := range []string{"plain", "TLS"} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.tls, cfg.OutboxBytes = name == "TLS", 128<<10
			w := start(t, cfg)
			open := func() *clienttest.Websocket {
				conn, err := net.Dial("tcp", w.address())
				if err != nil {
					t.Fatal(err)
				}
				conn.(*net.TCPConn).SetReadBuffer(32 << 10)
				if name == "TLS" {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				}
				c := clienttest.Dial(t, conn)
				c.Connect("ann@p1")
				return c
			}
			c := open()
			stall(t, w, c)
			witness := open()
			witness.Subscribe("project/p1/b")
			w.hub.Say(t, "project/p1/b", `1`)
			if m := witness.Hear(); string(m.Push.Pub.Data) != "1" {
				t.Errorf("the witness heard %+v", m)
			}
			// It reads on, and is told all that was sent, and why it ends.
			if code := c.Ends(); code != 3008 {
				t.Errorf("ended with %d", code)
			}
			testwait.Until(t, "the session is gone", func() bool { return w.sessions.Len() == 1 })
		})
	}
}

// TestStalledClientThatStaysAway: its session and its socket end all the same.
func TestStalledClientThatStaysAway(t *testing.T) {
	cfg := testConfig()
	cfg.OutboxBytes = 128 << 10
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	stall(t, w, c)
	testwait.Until(t, "the session is gone", func() bool { return w.sessions.Len() == 0 })
	testwait.Until(t, "the socket is closed", func() bool { return w.open.Load() == 0 })
}
