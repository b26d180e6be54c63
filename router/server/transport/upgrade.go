package transport

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/lxzan/gws"

	"horizon-realtime/router/server/session"
	"horizon-realtime/router/wire"
)

// readBuffer is what a connection reads through, in bytes. Most clients send nothing
// but pongs, of eight bytes, and what is longer bypasses the buffer.
const readBuffer = 16

// Websocket answers GET …/connection/websocket.
func (t *Transports) Websocket() http.HandlerFunc {
	json, protobuf := t.upgrader(), t.upgrader(protobufProtocol)
	return func(w http.ResponseWriter, r *http.Request) {
		if problem := notWebsocket(r); problem != "" {
			http.Error(w, problem, http.StatusBadRequest)
			return
		}
		if r.Header.Get("Sec-WebSocket-Version") != "13" { // RFC 6455, section 4.4
			w.Header().Set("Sec-WebSocket-Version", "13")
			w.Header().Set("Upgrade", "websocket")
			http.Error(w, "the websocket version is 13", http.StatusUpgradeRequired)
			return
		}
		s, ok := t.admit(w, r)
		if !ok {
			return
		}
		upgrader := json
		if offersProtobuf(r) {
			upgrader = protobuf
		}
		if !t.openWebsocket(upgrader, s, w, r) {
			s.End()
		} else if upgrader == protobuf {
			s.Close(wire.JSONOnly)
		}
	}
}

// protobufProtocol is what clients offer that speak Protobuf. A browser takes a
// connection only with the protocol it offered, and then learns why it ends.
const protobufProtocol = "centrifuge-protobuf"

func offersProtobuf(r *http.Request) bool {
	offers := strings.Split(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	return slices.ContainsFunc(offers, func(offer string) bool { return strings.TrimSpace(offer) == protobufProtocol })
}

// upgrader is the gws side of websockets with one of these subprotocols; none are
// all that do without.
func (t *Transports) upgrader(subprotocols ...string) *gws.Upgrader {
	return gws.NewUpgrader(frames{}, &gws.ServerOption{
		ParallelGolimit:     1, // unused, and a buffer for each connection
		ReadMaxPayloadSize:  t.cfg.FrameBytes,
		ReadBufferSize:      readBuffer,
		WriteMaxPayloadSize: 64 << 20, // the hub's bounds are below
		CheckUtf8Enabled:    true,
		HandshakeTimeout:    t.timeout,
		NewSession:          func() gws.SessionStorage { return nil },
		PermessageDeflate:   gws.PermessageDeflate{Enabled: t.cfg.Compression, PoolSize: inflaters},
		SubProtocols:        subprotocols,
		Logger:              quiet{t.log},
	})
}

// notWebsocket says what is wrong with a handshake; empty: nothing is. gws would
// not say it in HTTP.
func notWebsocket(r *http.Request) string {
	switch {
	case r.ProtoMajor != 1 || r.ProtoMinor != 1:
		return "a websocket needs HTTP/1.1"
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") ||
		!strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade"):
		return "this is a websocket endpoint; does a proxy in between pass on the headers Upgrade and Connection?"
	case !isNonce(r.Header.Values("Sec-WebSocket-Key")):
		return "there is one Sec-WebSocket-Key, of 16 bytes in base64"
	}
	return ""
}

// isNonce reports whether a handshake has a key as it must be (RFC 6455, section
// 4.2.1).
func isNonce(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	nonce, err := base64.StdEncoding.DecodeString(keys[0])
	return err == nil && len(nonce) == 16
}

// openWebsocket takes the connection from net/http and has its own goroutine read
// it, so that the buffers and the stack of the request are free again. It
// reports whether there is a websocket now.
func (t *Transports) openWebsocket(upgrader *gws.Upgrader, s *session.Session, w http.ResponseWriter, r *http.Request) bool {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.log.Error("take a connection over from HTTP", "error", err)
		http.Error(w, "no websockets here", http.StatusNotImplemented)
		return false
	}
	c := &websocket{Conn: conn, transports: t, session: s}
	c.out = outboxOf(conn)
	if c.out == nil {
		c.out = newOutbox(conn, t.cfg.OutboxBytes, &t.work)
		c.Conn = c.out
	}
	from := io.Reader(c.Conn)
	if c.Conn == net.Conn(c.out) {
		from = c.out.Conn
	}
	if n := rw.Reader.Buffered(); n > 0 {
		early := make([]byte, n)
		io.ReadFull(rw.Reader, early)
		from = io.MultiReader(strings.NewReader(string(early)), from)
	}
	if c.deflate = negotiateDeflate(r, t.cfg.Compression); c.deflate {
		from = &frameGuard{from: from, refuse: func() { s.Close(wire.ProtocolError) }}
	}
	if c.socket, err = upgrader.UpgradeFromConn(c, bufio.NewReaderSize(from, readBuffer), r); err != nil {
		t.log.Debug("websocket handshake", "error", err)
		c.out.Close()
		return false
	}
	c.out.async = true
	s.Open(c, false)
	t.work.Add(1)
	go c.read()
	return true
}

// outboxOf finds the outbox that the listener put under a connection; nil if it
// did not.
func outboxOf(conn net.Conn) *outbox {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	out, _ := conn.(*outbox)
	return out
}
