package session

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is sessions with a hub, both running.
type world struct {
	*Sessions
	hub    *clienttest.Hub
	people *clienttest.People
}

func start(t testing.TB, cfg Config) *world { return startWith(t, cfg, hub.DefaultConfig()) }

func startWith(t testing.TB, cfg Config, hubConfig hub.Config) *world {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	w := &world{hub: clienttest.StartHub(t, hubConfig), people: new(clienttest.People)}
	w.hub.CountOffsets()
	w.Sessions = New(cfg, w.hub.Hub, w.people, Options{Log: w.hub.Log, Registerer: w.hub.Registry})
	clienttest.Run(t, "sessions", func(ctx context.Context) error { w.Sessions.Run(ctx); return nil })
	return w
}

// at pretends that time has passed.
func (w *world) at(d time.Duration) { w.wheel.advance(time.Now().Add(d)) }

// turnTo advances the wheel in steps, so that it turns as the clock would have it.
func (w *world) turnTo(d time.Duration) {
	for s := time.Duration(0); s <= d; s += 10 * time.Second {
		w.at(s)
	}
	w.at(d)
}

// client is a client without a connection: its session handles at once what it
// says, and it is the session's transport.
type client struct {
	t       testing.TB
	session *Session
	room    int
	fills   bool // it takes that room once
	busy    bool // something waits

	mu        sync.Mutex
	err       error // what becomes of what it is sent
	lines     [][]byte
	forgotten []string
	why       *wire.Disconnect
}

// open gives a client a session that waits for its connect command.
func (w *world) open(t testing.TB) *client {
	t.Helper()
	s, err := w.Admit(nil, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, session: s, room: 1 << 20}
	s.Open(c, false)
	t.Cleanup(c.leave)
	return c
}

// connected gives a client that has connected.
func (w *world) connected(t testing.TB, token string) *client {
	t.Helper()
	c := w.open(t)
	c.say(`{"id":1,"connect":{"token":"` + token + `"}}`)
	if m := c.hear(); m.Connect == nil {
		t.Fatalf("connect: %+v", m)
	}
	return c
}

// leave ends the session as a connection that breaks does.
func (c *client) leave() {
	if c.session != nil {
		c.session.End()
		c.session = nil
	}
}

func (c *client) Name() string { return "memory" }

func (c *client) Send(line []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.lines = append(c.lines, bytes.Clone(line))
	}
	return c.err
}

func (c *client) Deliver(b *wire.Batch) error {
	for line := range bytes.SplitSeq(b.Lines(), []byte{'\n'}) {
		if err := c.Send(line); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *client) Forget(pattern string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten = append(c.forgotten, pattern)
}

func (c *client) Room() (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := c.room
	if c.fills {
		c.room = 0
	}
	return room, !c.busy
}

func (c *client) Disconnect(why wire.Disconnect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = &why
}

func (c *client) say(lines ...string) { c.session.Handle([]byte(strings.Join(lines, "\n"))) }

// next waits for the next line. It is nil if the session ended instead.
func (c *client) next() (line []byte) {
	c.t.Helper()
	testwait.Until(c.t, "a line, or the end of the session", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.lines) > 0 {
			line, c.lines = c.lines[0], c.lines[1:]
		}
		return line != nil || c.why != nil
	})
	return line
}

func (c *client) hear() clienttest.Message {
	c.t.Helper()
	line := c.next()
	if line == nil {
		c.t.Fatalf("the session ended with %+v", *c.why)
	}
	return clienttest.Parse(c.t, line)
}

// ends gives the code with which the session has ended: what a client says, and
// what the wheel does, ends it at once.
func (c *client) ends() uint16 {
	c.t.Helper()
	c.mu.Lock()
	why := c.why
	c.mu.Unlock()
	if why == nil {
		c.t.Fatal("the session goes on")
	}
	c.leave()
	return why.Code
}

// endsSoon waits for another goroutine to end the session, and gives the code.
func (c *client) endsSoon() uint16 {
	c.t.Helper()
	for c.next() != nil {
	}
	return c.ends()
}

func (c *client) subscribe(channel string) *clienttest.Subscribed {
	c.t.Helper()
	c.say(`{"id":1000,"subscribe":{"channel":"` + channel + `"}}`)
	m := c.hear()
	if m.ID != 1000 || m.Subscribe == nil {
		c.t.Fatalf("subscribe to %s: %+v, error %+v", channel, m, m.Error)
	}
	return m.Subscribe
}
