//go:build suites

package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/lxzan/gws"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server/session"
)

// TestSuite runs the command in $SUITE in $SUITE_DIR: the integration tests of an
// official client, which expect a Centrifugo on localhost:8000. interop/suites runs
// it; $SUITE_HISTORY is [hub] history_size, and with $SUITE_PRESENCE clients may ask
// for presence.
//
// The tests are as they are published. A shim in front of the router stands for
// Centrifugo's configuration: it gives each channel that a test makes up the name of
// one of a project's, moves the paths under [server] prefix, and publishes what the
// tests publish, which clients of the router may not. Everything else is the
// router's own answer.
func TestSuite(t *testing.T) {
	cfg := testConfig()
	cfg.HistoryChannels = []string{"project/*/*"}
	if os.Getenv("SUITE_PRESENCE") != "" {
		cfg.PresenceChannels = []string{"project/*/*"}
	}
	cfg.CommandsPerSecond = 1000
	history, err := strconv.Atoi(os.Getenv("SUITE_HISTORY"))
	if err != nil {
		t.Fatal(err)
	}
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = history
	w := makeWorldOn(t, cfg, hubConfig, func(_ *world, o Options) (session.Authenticator, Options) {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		return suiteUsers{}, o
	})
	w.run(t)
	shim := &shim{world: w, t: t, names: map[string]string{}, channels: map[string]string{}, published: map[uint32]bool{}}
	ln, err := net.Listen("tcp", "localhost:8000")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: shim}
	go server.Serve(ln)
	defer server.Close()
	cmd := exec.Command("sh", "-c", os.Getenv("SUITE"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = os.Getenv("SUITE_DIR"), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Logf("the suite ended with %v", err)
	}
}

// suiteUsers lets clients in as the tests' Centrifugo does: those without a token,
// and those whose token is signed with "secret".
type suiteUsers struct{}

func (suiteUsers) Authenticate(_ context.Context, _ *http.Request, token string) (*auth.Identity, error) {
	id := &auth.Identity{User: "anonymous", Project: "suite", Roles: []string{"member"}}
	if token == "" {
		return id, nil
	}
	parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return []byte("secret"), nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, auth.ErrExpired
	case err != nil:
		return nil, auth.ErrUnauthorized
	}
	id.User, _ = parsed.Claims.GetSubject()
	if expires, _ := parsed.Claims.GetExpirationTime(); expires != nil {
		id.Expires = expires.Time
	}
	return id, nil
}

func (suiteUsers) Revalidate(context.Context, *auth.Identity) (*auth.Identity, error) {
	return nil, auth.ErrUnavailable
}

// shim is what stands between the tests and the router.
type shim struct {
	*world
	t testing.TB

	mu              sync.Mutex
	names, channels map[string]string // of a test's channel, and of the router's
	published       map[uint32]bool   // ids of publish commands of clients without a websocket
}

// channel is the router's name for a test's. The namespaces that are not known here
// are not known to the router either.
func (s *shim) channel(name string) string {
	if namespace, _, ok := strings.Cut(name, ":"); ok && namespace != "recovery" && namespace != "smallhistory" {
		return name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == "" {
		ch = fmt.Sprint("project/suite/channel-", len(s.channels))
		s.channels[name], s.names[ch] = ch, name
	}
	return ch
}

func (s *shim) name(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.names[channel], channel)
}

// channelMember is "channel":"…", also inside a JSON string.
var channelMember = regexp.MustCompile(`(\\?"channel\\?"\s*:\s*\\?")([^"\\]*)`)

func rename(text []byte, to func(string) string) []byte {
	return channelMember.ReplaceAllFunc(text, func(member []byte) []byte {
		m := channelMember.FindSubmatch(member)
		return append(bytes.Clone(m[1]), to(string(m[2]))...)
	})
}

func (s *shim) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/api/publish":
		var p struct {
			Channel string          `json:"channel"`
			Data    json.RawMessage `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		s.say(p.Channel, p.Data)
		io.WriteString(rw, `{"result":{}}`)
	case path == "/api/history": // where the channel is, which is where the router is
		epoch, offset := s.hub.Position()
		fmt.Fprintf(rw, `{"result":{"epoch":%q,"offset":%d}}`, epoch, offset)
	case strings.HasPrefix(path, "/api/"):
		http.Error(rw, "not available", http.StatusNotFound)
	case path == "/connection/websocket":
		s.websocket(rw, r)
	default:
		s.stream(rw, r)
	}
}

// say publishes to a test's channel.
func (s *shim) say(channel string, data []byte) {
	ch, err := event.ParseChannel(s.channel(channel))
	if err != nil {
		return
	}
	if err := s.hub.Publish(hub.Publication{Channel: ch, Project: "suite", Data: data, At: time.Now()}); err != nil {
		s.t.Error(err)
	}
}

// stream passes on a request of a client without a websocket.
func (s *shim) stream(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var emulation struct {
		Data string `json:"data"`
	}
	if json.Unmarshal(body, &emulation) == nil {
		for line := range strings.Lines(emulation.Data) {
			if id, ok := s.publishCommand([]byte(line)); ok {
				s.mu.Lock()
				s.published[id] = true
				s.mu.Unlock()
			}
		}
	}
	body = rename(body, s.channel)
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: s.address()})
			p.Out.Host = s.address()
			p.Out.URL.Path = s.cfg.Prefix + r.URL.Path
			p.Out.Body, p.Out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		},
		ModifyResponse: func(answer *http.Response) error {
			lines := bufio.NewReader(answer.Body)
			reader, writer := io.Pipe()
			go func(from io.Closer) {
				defer from.Close()
				for {
					line, err := lines.ReadBytes('\n')
					if _, failed := writer.Write(rename(s.accept(line), s.name)); failed != nil || err != nil {
						writer.CloseWithError(err)
						return
					}
				}
			}(answer.Body)
			answer.Body = reader
			answer.Header.Del("Content-Length")
			return nil
		},
	}
	proxy.ServeHTTP(rw, r)
}

// refusal is how the router answers a publish command.
var refusal = regexp.MustCompile(`\{"id":(\d+),"error":\{"code":108[^}]*\}\}`)

// accept turns the refusal of what was published into what Centrifugo answers.
func (s *shim) accept(line []byte) []byte {
	return refusal.ReplaceAllFunc(line, func(reply []byte) []byte {
		id, _ := strconv.Atoi(string(refusal.FindSubmatch(reply)[1]))
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.published[uint32(id)] {
			return reply
		}
		delete(s.published, uint32(id))
		return fmt.Appendf(nil, `{"id":%d,"publish":{}}`, id)
	})
}

// websocket is a websocket to the client and one to the router.
func (s *shim) websocket(rw http.ResponseWriter, r *http.Request) {
	header, accepted := http.Header{}, &gws.ServerOption{}
	if protocol := r.Header.Get("Sec-WebSocket-Protocol"); protocol != "" {
		header.Set("Sec-WebSocket-Protocol", protocol)
		accepted.SubProtocols = []string{protocol}
	}
	toRouter, toClient := &relay{change: s.fromRouter}, &relay{change: s.fromClient}
	router, _, err := gws.NewClient(toRouter, &gws.ClientOption{
		Addr: "ws://" + s.address() + s.cfg.Prefix + r.URL.RequestURI(), RequestHeader: header,
	})
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	client, err := gws.NewUpgrader(toClient, accepted).Upgrade(rw, r)
	if err != nil {
		router.NetConn().Close()
		return
	}
	toRouter.to, toClient.to = client, router
	go router.ReadLoop()
	client.ReadLoop()
}

// relay passes on what one side of a websocket sends.
type relay struct {
	gws.BuiltinEventHandler
	to     *gws.Conn
	change func(text []byte) (on, back []byte)
}

func (r *relay) OnMessage(from *gws.Conn, m *gws.Message) {
	defer m.Close()
	if m.Opcode != gws.OpcodeText {
		r.to.WriteMessage(m.Opcode, m.Bytes())
		return
	}
	on, back := r.change(m.Bytes())
	if len(on) > 0 {
		r.to.WriteMessage(gws.OpcodeText, on)
	}
	if len(back) > 0 {
		from.WriteMessage(gws.OpcodeText, back)
	}
}

func (r *relay) OnClose(_ *gws.Conn, err error) {
	var end *gws.CloseError
	if errors.As(err, &end) {
		r.to.WriteClose(end.Code, end.Reason)
		return
	}
	r.to.NetConn().Close()
}

func (s *shim) fromRouter(text []byte) (on, _ []byte) { return rename(text, s.name), nil }

// fromClient answers publish commands, and passes on all others.
func (s *shim) fromClient(text []byte) (on, back []byte) {
	for line := range bytes.Lines(text) {
		if id, ok := s.publishCommand(line); ok {
			back = fmt.Appendf(back, "{\"id\":%d,\"publish\":{}}\n", id)
			continue
		}
		on = append(on, rename(line, s.channel)...)
	}
	return on, bytes.TrimSuffix(back, []byte("\n"))
}

// publishCommand does what a publish command asks for, if the line is one.
func (s *shim) publishCommand(line []byte) (id uint32, ok bool) {
	var command struct {
		ID      uint32 `json:"id"`
		Publish *struct {
			Channel string          `json:"channel"`
			Data    json.RawMessage `json:"data"`
		} `json:"publish"`
	}
	if json.Unmarshal(line, &command) != nil || command.Publish == nil || command.Publish.Channel == "" {
		return 0, false
	}
	s.say(command.Publish.Channel, command.Publish.Data)
	return command.ID, true
}
