package transport

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/testwait"
	"horizon-realtime/router/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is transports with sessions, a hub and a listener, all running.
type world struct {
	*Transports
	sessions *session.Sessions
	hub      *clienttest.Hub
	http     *httptest.Server
	open     atomic.Int64 // sockets

	mu       sync.Mutex
	outboxes []*outbox // of all connections so far
}

type sessionConfig = session.Config

// config is what a world is made from.
type config struct {
	Config
	sessionConfig
	tls bool
}

func testConfig() config {
	return config{Config: DefaultConfig(), sessionConfig: session.DefaultConfig()}
}

func start(t testing.TB, cfg config) *world { return startWith(t, cfg, hub.DefaultConfig()) }

func startWith(t testing.TB, cfg config, hubConfig hub.Config) *world {
	t.Helper()
	w := &world{hub: clienttest.StartHub(t, hubConfig)}
	w.hub.CountOffsets()
	w.sessions = session.New(cfg.sessionConfig, w.hub.Hub, new(clienttest.People), session.Options{Log: w.hub.Log, Registerer: w.hub.Registry})
	clienttest.Run(t, "sessions", func(ctx context.Context) error { w.sessions.Run(ctx); return nil })
	w.Transports = New(cfg.Config, w.sessions, Options{
		Log: w.hub.Log, Registerer: w.hub.Registry, HandshakeTimeout: cfg.ConnectTimeout,
		Admit: func(rw http.ResponseWriter, r *http.Request) (*session.Session, bool) {
			s, err := w.sessions.Admit(r, "192.0.2.1")
			if err != nil {
				http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			}
			return s, err == nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/realtime/connection/websocket", w.Websocket())
	mux.HandleFunc("/realtime/connection/http_stream", w.HTTPStream)
	mux.HandleFunc("/realtime/connection/sse", w.SSE)
	mux.HandleFunc("/realtime/emulation", w.Emulation)
	w.http = httptest.NewUnstartedServer(mux)
	w.http.Listener = outboxListener{w.http.Listener, w}
	if w.http.EnableHTTP2 = cfg.tls; cfg.tls {
		w.http.StartTLS()
	} else {
		w.http.Start()
	}
	t.Cleanup(func() {
		w.closeAll()
		w.http.Close()
		testwait.Receive(t, "the end of all sessions", w.sessions.Stopped())
		w.Wait()
	})
	return w
}

// outboxListener makes every connection an outbox, as the server's does.
type outboxListener struct {
	net.Listener
	w *world
}

func (l outboxListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.w.open.Add(1)
	conn.(*net.TCPConn).SetWriteBuffer(128 << 10)
	out := l.w.Outbox(conn, "192.0.2.1", func() { l.w.open.Add(-1) })
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.outboxes = append(l.w.outboxes, out.(*outbox))
	return out, nil
}

func (w *world) closeAll() {
	w.sessions.Stop()
	for _, s := range w.sessions.All() {
		s.Close(wire.Shutdown)
	}
}

func (w *world) address() string { return w.http.Listener.Addr().String() }

func (w *world) dial(t testing.TB) *clienttest.Websocket {
	t.Helper()
	return clienttest.DialTCP(t, w.address())
}

func (w *world) connected(t testing.TB, token string) *clienttest.Websocket {
	t.Helper()
	return clienttest.Connect(t, w.address(), token)
}

// stream opens one of the fallbacks, over connections that are its own.
func (w *world) stream(t testing.TB, transport, token string) *clienttest.Stream {
	t.Helper()
	own := &http.Transport{ReadBufferSize: 4 << 10}
	t.Cleanup(own.CloseIdleConnections)
	return clienttest.OpenStream(t, &http.Client{Transport: own}, w.http.URL, transport, token)
}

// subscriptions is how many the hub has.
func (w *world) subscriptions(t testing.TB) int {
	t.Helper()
	families, err := w.hub.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "horizon_realtime_hub_subscriptions" {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatal("no such metric")
	return 0
}

// nobodyIsLeft waits until all sessions have ended, and their subscriptions.
func (w *world) nobodyIsLeft(t testing.TB) {
	t.Helper()
	testwait.Until(t, "all sessions are gone", func() bool { return w.sessions.Len() == 0 && w.subscriptions(t) == 0 })
}

// serveFrames has a session read bytes as a websocket's, to their end.
func (w *world) serveFrames(t testing.TB, out *outbox, frames []byte) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(clienttest.Handshake + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.sessions.Admit(r, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	c := &websocket{Conn: out, out: out, session: s, transports: w.Transports}
	from := io.MultiReader(bytes.NewReader(frames), eof{})
	if c.socket, err = w.upgrader().UpgradeFromConn(c, bufio.NewReader(from), r); err != nil {
		t.Fatal(err)
	}
	out.async = true
	s.Open(c, false)
	w.work.Add(1)
	c.read()
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
