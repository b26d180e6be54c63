package transport

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"github.com/lxzan/gws"

	"horizon-realtime/router/wire"
)

// read is the life of the connection: it returns when the connection is closed. While
// it waits, no more than a quarter of a stack of 8 KB may be in use: then Go's
// collector leaves it half of that. So few functions are between here and the socket.
//
// gws panics at a frame whose length is negative as a signed number, and leaves
// panics to its caller.
func (c *websocket) read() {
	defer c.transports.work.Done()
	defer c.hangUp()
	defer func() {
		if cause := recover(); cause != nil {
			c.transports.log.Warn("a client's frame made the websocket library panic", "client", c.session.ID(), "cause", cause)
			c.session.Close(wire.BadRequest)
		}
	}()
	c.socket.ReadLoop()
}

// hangUp ends what has been read to its end.
func (c *websocket) hangUp() {
	c.session.End()
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	if !c.out.settle() {
		c.out.Close()
		return
	}
	if t, ok := c.Conn.(*tls.Conn); ok {
		t.CloseWrite()
	}
	c.out.hangUp()
}

// frames is what gws calls; the connection it is called with knows its session.
type frames struct{}

func connectionOf(socket *gws.Conn) *websocket { return socket.NetConn().(*websocket) }

func (frames) OnOpen(*gws.Conn) {}

func (frames) OnClose(*gws.Conn, error) {}

// OnPong takes an answer that nobody asked for.
func (frames) OnPong(socket *gws.Conn, _ []byte) {
	connectionOf(socket).session.Permit()
}

func (frames) OnPing(socket *gws.Conn, payload []byte) {
	c := connectionOf(socket)
	if c.session.Permit() {
		c.session.Sent(c.frame(gws.OpcodePong, payload))
	}
}

func (frames) OnMessage(socket *gws.Conn, m *gws.Message) {
	defer m.Close()
	c := connectionOf(socket)
	if m.Opcode != gws.OpcodeText {
		c.session.Close(wire.JSONOnly)
		return
	}
	if len(m.Bytes()) == 2 { // `{}`, a pong, is all that most connections ever say
		c.session.Handle(m.Bytes())
		return
	}
	// Handling a command takes more stack than reading, and a stack that has
	// grown does not shrink while it is a quarter full. So it has another one.
	done := make(chan struct{})
	c.transports.work.Go(func() {
		defer close(done)
		c.session.Handle(m.Bytes())
	})
	<-done
}

// quiet logs what gws says about clients where only debugging shows it.
type quiet struct{ log *slog.Logger }

func (q quiet) Error(v ...any) { q.log.Debug("websocket", "error", fmt.Sprint(v...)) }
