package server

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
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
	near.(*net.TCPConn).SetWriteBuffer(socketBuffer)
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
	far.SetReadDeadline(time.Now().Add(deadline))
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

// stall subscribes a client that then reads nothing, and publishes until the
// server has had enough of it.
func stall(t *testing.T, w *world, c *client) {
	t.Helper()
	c.subscribe("project/p1/a")
	data := `"` + strings.Repeat("x", 16<<10) + `"`
	limit := int64(w.cfg.OutboxBytes)
	victim := w.all()[0]
	for began := time.Now(); !victim.is(closed); {
		if time.Since(began) > deadline {
			t.Fatal("the stalled client is still there")
		}
		w.publish(t, "project/p1/a", data)
		if waiting := victim.transport.(*websocket).out.waiting.Load(); waiting > limit+1024 {
			t.Fatalf("%d bytes wait for it, over the bound of %d", waiting, limit)
		}
	}
}

func TestStalledClient(t *testing.T) {
	secureConfig := testConfig()
	secureConfig.TLSCertFile, secureConfig.TLSKeyFile = certificateFiles(t)
	for name, cfg := range map[string]Config{"plain": testConfig(), "TLS": secureConfig} {
		t.Run(name, func(t *testing.T) {
			cfg.OutboxBytes = 128 << 10
			w := start(t, cfg)
			open := func() *client {
				conn, err := net.Dial("tcp", w.address())
				if err != nil {
					t.Fatal(err)
				}
				conn.(*net.TCPConn).SetReadBuffer(32 << 10)
				if name == "TLS" {
					conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
				}
				c := dial(t, conn)
				c.say(`{"id":1,"connect":{"token":"ann@p1"}}`)
				c.hear()
				return c
			}
			c := open()
			stall(t, w, c)
			witness := open()
			witness.subscribe("project/p1/b")
			w.publish(t, "project/p1/b", `1`)
			if m := witness.hear(); string(m.Push.Pub.Data) != "1" {
				t.Errorf("the witness heard %+v", m)
			}
			// It reads on, and is told all that was sent, and why it ends.
			if code := c.ends(); code != 3008 {
				t.Errorf("ended with %d", code)
			}
			eventually(t, "the session is gone", func() bool { return w.Sessions() == 1 })
		})
	}
}

// TestStalledClientThatStaysAway is let go in the end, with all it held.
func TestStalledClientThatStaysAway(t *testing.T) {
	cfg := testConfig()
	cfg.OutboxBytes = 128 << 10
	w := start(t, cfg)
	c := w.connected(t, "ann@p1")
	stall(t, w, c)
	eventually(t, "the session is gone", func() bool { return w.Sessions() == 0 })
	open := &w.listener.(*listener).open
	eventually(t, "the socket is closed", func() bool { return open.Load() == 0 })
}
