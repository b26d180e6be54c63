package server

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

// TestCrowdsOfStrangers has more connections than there are places for clients come and
// stay without saying who they are, in each way there is. Users get in all the same.
func TestCrowdsOfStrangers(t *testing.T) {
	const post = " HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n{"
	for name, c := range map[string]struct {
		say string
		tls bool
	}{
		"silence":               {"", false},
		"a drip":                {"G", false},
		"headers without end":   {clienttest.Handshake, false},
		"no connect":            {clienttest.Handshake + "\r\n", false},
		"half a frame":          {clienttest.Handshake + "\r\n\x81\xfe\xff", false},
		"body of a stream":      {"POST /realtime/connection/http_stream" + post, false},
		"body of a command":     {"POST /realtime/emulation" + post, false},
		"stream, no connect":    {"POST /realtime/connection/http_stream HTTP/1.1\r\nHost: h\r\nContent-Length: 15\r\n\r\n{\"id\":1,\"x\":{}}", false},
		"sse, no connect":       {"GET /realtime/connection/sse?cf_connect=%7B%7D HTTP/1.1\r\nHost: h\r\n\r\n", false},
		"an answer, and no end": {"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", false},
		"half a TLS handshake":  {"\x16\x03\x01\x00\xa5\x01", true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.MaxConnections, cfg.MaxStrangers, cfg.MaxStrangersPerAddress = 12, 30, 0
			var dial func(testing.TB, string) *clienttest.Websocket
			if dial = func(t testing.TB, address string) *clienttest.Websocket { return clienttest.DialTCP(t, address) }; c.tls {
				cfg.TLSCertFile, cfg.TLSKeyFile = certificateFiles(t, time.Now().Add(time.Hour))
				dial = func(t testing.TB, address string) *clienttest.Websocket {
					conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
					if err != nil {
						t.Fatal(err)
					}
					return clienttest.Dial(t, conn)
				}
			}
			w := start(t, cfg)
			var crowd []net.Conn
			for range 50 {
				conn, err := net.Dial("tcp", w.address())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				io.WriteString(conn, c.say)
				crowd = append(crowd, conn)
			}
			began := time.Now()
			var users []*clienttest.Websocket
			for n := range cfg.MaxConnections {
				user := dial(t, w.address())
				user.Connect(fmt.Sprintf("ann%d@p1", n))
				users = append(users, user)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("the users took %s to connect", took)
			}
			for range cfg.MaxStrangers { // and stay in
				conn, err := net.Dial("tcp", w.address())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
			}
			for n, user := range users {
				user.Subscribe(fmt.Sprintf("project/p1/a%d", n))
			}
			crowd[0].SetReadDeadline(time.Now().Add(testwait.Limit))
			_, err := io.Copy(io.Discard, crowd[0])
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Error("the oldest stranger was not closed")
			}
			testwait.Until(t, "no more sockets than there are places", func() bool {
				return w.listener.(*listener).open.Load() <= int64(cfg.MaxConnections+cfg.MaxStrangers)
			})
		})
	}
}

// TestCrowdOverOneConnection has requests without end share a connection, by HTTP/2.
func TestCrowdOverOneConnection(t *testing.T) {
	cfg := testConfig()
	cfg.MaxStrangers = 40
	cfg.ConnectTimeout = 5 * time.Minute // what ends them is not this
	cfg.TLSCertFile, cfg.TLSKeyFile = certificateFiles(t, time.Now().Add(time.Hour))
	w := start(t, cfg)
	base := "https://" + w.address()
	crowd := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer crowd.CloseIdleConnections()
	closed := make(chan int, 90) // fewer than may share a connection
	var requests sync.WaitGroup
	var bodies []io.Closer
	for range cap(closed) {
		body, write := io.Pipe()
		bodies = append(bodies, write)
		requests.Go(func() {
			answer, err := crowd.RoundTrip(must(http.NewRequest("POST", base+"/realtime/emulation", body)))
			if err != nil {
				closed <- 0
				return
			}
			answer.Body.Close()
			closed <- answer.ProtoMajor
		})
	}
	for range cap(closed) - cfg.MaxStrangers + 1 { // the connection has a place, too
		if major := testwait.Receive(t, "the end of a request", closed); major == 1 {
			t.Fatal("these are not over HTTP/2")
		}
	}
	mine := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer mine.CloseIdleConnections()
	c := clienttest.OpenStream(t, &http.Client{Transport: mine}, base, "http_stream", "ann@p1")
	if c.Response.ProtoMajor != 2 {
		t.Fatal("the stream is not over HTTP/2")
	}
	testwait.Until(t, "strangers have no more than their places", func() bool {
		return w.sessions.Strangers().Len() <= cfg.MaxStrangers
	})
	c.Say(`{"id":2,"ping":{}}`)
	if m := c.Hear(); m.ID != 2 {
		t.Errorf("heard %+v", m)
	}
	for _, b := range bodies {
		b.Close()
	}
	requests.Wait()
	c.Response.Body.Close()
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// TestUsersBehindOneAddress come back all at once, after an outage.
func TestUsersBehindOneAddress(t *testing.T) {
	cfg := testConfig()
	cfg.TrustedProxies = []string{"127.0.0.1"}
	w := start(t, cfg)
	var users sync.WaitGroup
	for n := range 400 {
		users.Go(func() {
			c, answer := clienttest.Open(t, w.address(), "X-Forwarded-For: 2001:db8::1\r\n")
			if answer.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("user %d: %s", n, answer.Status)
				return
			}
			c.Connect(fmt.Sprintf("ann%d@p1", n))
			c.Conn.Close()
		})
	}
	users.Wait()
}

// TestStrangersOfANetwork: the addresses of a /64 count as one, as a proxy names them.
func TestStrangersOfANetwork(t *testing.T) {
	cfg := testConfig()
	cfg.TrustedProxies = []string{"127.0.0.1"}
	cfg.MaxStrangersPerAddress = 2
	w := start(t, cfg)
	stranger := func(address string) *clienttest.Websocket {
		c, _ := clienttest.Open(t, w.address(), "X-Forwarded-For: "+address+"\r\n")
		return c
	}
	other := stranger("2001:db8:0:1::1")
	first := stranger("2001:db8::1")
	stranger("2001:db8::2")
	stranger("2001:db8::2:1")
	if _, err := first.Reader.ReadByte(); err == nil {
		t.Error("the network's oldest is told something")
	}
	other.Connect("ann@p1")
}
