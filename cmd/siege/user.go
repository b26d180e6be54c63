package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"
)

// user is an honest one: logs in with a ticket, subscribes to the own project, and
// listens until it is told to leave.
type user struct {
	gws.BuiltinEventHandler
	crowd   *crowd
	project int
	conn    *gws.Conn
	done    chan struct{} // closed when the connection is
	answers chan error    // one: the subscription's
	once    sync.Once
	leaving atomic.Bool

	mu   sync.Mutex
	last int64 // the serial heard last, -1 for none
}

// crowd is what all users of an attack have noticed.
type crowd struct {
	ledger  *ledger
	tickets *histogram
	// refused counts those who did not get in, or were thrown out; lost and astray
	// publications.
	refused, lost, astray atomic.Int64
	reason                atomic.Pointer[string] // of the last refusal
}

func newCrowd(l *ledger) *crowd { return &crowd{ledger: l, tickets: new(histogram)} }

func (c *crowd) refuse(err error) {
	c.refused.Add(1)
	text := err.Error()
	c.reason.Store(&text)
}

// login gets a ticket, connects and subscribes. It reports whether it succeeded.
func (c *crowd) login(ctx context.Context, address, name string, number int) (*user, bool) {
	u := &user{crowd: c, project: number, last: -1, done: make(chan struct{}), answers: make(chan error, 1)}
	began := time.Now()
	ticket, err := askTicket(ctx, http.DefaultClient, address, member(name, project(number)))
	c.tickets.add(time.Since(began))
	if err == nil {
		err = u.connect(ctx, address, ticket)
	}
	if err != nil {
		c.refuse(fmt.Errorf("%s: %w", name, err))
		return nil, false
	}
	return u, true
}

// askTicket is what Horizon's backend does for a user.
func askTicket(ctx context.Context, client *http.Client, address, token string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/realtime/ticket", nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Auth-Token", token)
	resp, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("ask for a ticket: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("ask for a ticket: %w", err)
	}
	var answer struct{ Ticket string }
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil {
		return "", fmt.Errorf("ask for a ticket: %s %s", resp.Status, body)
	}
	return answer.Ticket, nil
}

func (u *user) connect(ctx context.Context, address, ticket string) error {
	var err error
	if u.conn, _, err = gws.NewClient(u, &gws.ClientOption{Addr: "ws://" + address + "/realtime/connection/websocket"}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	go func() { defer close(u.done); u.conn.ReadLoop() }()
	commands := connectAndSubscribe(ticket, []string{"project/" + project(u.project) + "/instances"})
	if err := u.conn.WriteMessage(gws.OpcodeText, commands); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	select {
	case err := <-u.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OnMessage implements gws.Event.
func (u *user) OnMessage(conn *gws.Conn, m *gws.Message) {
	defer m.Close()
	for line := range bytes.SplitSeq(m.Bytes(), []byte("\n")) {
		switch {
		case bytes.HasPrefix(line, []byte(`{"push":{"channel"`)):
			u.hear(line)
		case bytes.Equal(line, []byte("{}")):
			_ = conn.WriteMessage(gws.OpcodeText, line)
		case bytes.Contains(line, []byte(`"error":{`)):
			u.answer(fmt.Errorf("subscribe: %s", line))
		case bytes.HasPrefix(line, []byte(`{"id":2,`)):
			u.answer(nil)
		}
	}
}

// hear counts a publication. Those of a project come in order, none is left out.
func (u *user) hear(line []byte) {
	serial, ok := serialOf(line)
	if !ok {
		return // of somebody else's server of the same project: an attacker's
	}
	if int(serial%projects) != u.project {
		u.crowd.astray.Add(1)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last >= 0 {
		u.crowd.lost.Add(max(int64(serial)-u.last-projects, 0) / projects)
	}
	u.last = int64(serial)
	u.crowd.ledger.latency.Load().add(time.Since(time.Unix(0, u.crowd.ledger.slot(serial).at.Load())))
}

// OnClose implements gws.Event.
func (u *user) OnClose(_ *gws.Conn, err error) {
	if u.answer(fmt.Errorf("thrown out: %w", err)); !u.leaving.Load() {
		u.crowd.refuse(fmt.Errorf("thrown out: %w", err))
	}
}

func (u *user) answer(err error) { u.once.Do(func() { u.answers <- err }) }

// leave waits until the user has heard everything up to a serial, and goes.
func (u *user) leave(published uint64) {
	final := int64(published) - 1
	final -= (final - int64(u.project) + projects) % projects // the last of its project
	for deadline := time.Now().Add(patience); u.missing(final) > 0; time.Sleep(5 * time.Millisecond) {
		select {
		case <-u.done: // it was thrown out, which is counted
			return
		default:
		}
		if time.Now().After(deadline) {
			u.crowd.lost.Add(u.missing(final))
			break
		}
	}
	u.leaving.Store(true)
	_ = u.conn.NetConn().Close()
	<-u.done
}

// missing is how many publications there are from the last one heard to the final one.
func (u *user) missing(final int64) int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last < 0 {
		return 1
	}
	return (final - u.last) / projects
}
