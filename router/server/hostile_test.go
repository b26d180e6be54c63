package server

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// handshakeStatus tries to open a websocket, with more headers, and gives the
// status.
func handshakeStatus(t testing.TB, address string, headers ...string) string {
	t.Helper()
	return rawStatus(t, address, handshake+strings.Join(headers, "\r\n")+"\r\n\r\n")
}

func rawStatus(t testing.TB, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(deadline))
	io.WriteString(conn, strings.ReplaceAll(request, "\r\n\r\n\r\n", "\r\n\r\n"))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status
}

func TestHandshakes(t *testing.T) {
	cfg := testConfig()
	cfg.AllowedOrigins = []string{"https://horizon.example.org"}
	w := start(t, cfg)
	for name, c := range map[string]struct{ request, want string }{
		"good":               {handshake + "\r\n", "101 Switching Protocols"},
		"subprotocol":        {handshake + "Sec-WebSocket-Protocol: centrifuge-json\r\n\r\n", "101 Switching Protocols"},
		"compression":        {handshake + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", "101 Switching Protocols"},
		"own origin":         {handshake + "Origin: http://LOCALHOST\r\n\r\n", "101 Switching Protocols"},
		"allowed origin":     {handshake + "Origin: https://Horizon.example.org\r\n\r\n", "101 Switching Protocols"},
		"other origin":       {handshake + "Origin: https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"other scheme":       {handshake + "Origin: http://horizon.example.org\r\n\r\n", "403 Forbidden"},
		"other port":         {handshake + "Origin: http://localhost:81\r\n\r\n", "403 Forbidden"},
		"null origin":        {handshake + "Origin: null\r\n\r\n", "403 Forbidden"},
		"two origins":        {handshake + "Origin: https://horizon.example.org https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"POST":               {strings.Replace(handshake, "GET", "POST", 1) + "\r\n", "404 Not Found"},
		"no upgrade":         {strings.Replace(handshake, "Upgrade: websocket\r\n", "", 1) + "\r\n", "400 Bad Request"},
		"no connection":      {strings.Replace(handshake, ", Upgrade", "", 1) + "\r\n", "400 Bad Request"},
		"old version":        {strings.Replace(handshake, "Version: 13", "Version: 8", 1) + "\r\n", "400 Bad Request"},
		"no key":             {strings.Replace(handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: ", 1) + "\r\n", "400 Bad Request"},
		"short key":          {strings.Replace(handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: dGhlIHNhbXBsZQ==", 1) + "\r\n", "400 Bad Request"},
		"key of garbage":     {strings.Replace(handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: !GhlIHNhbXBsZSBub25jZQ==", 1) + "\r\n", "400 Bad Request"},
		"two keys":           {handshake + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "400 Bad Request"},
		"HTTP/1.0":           {strings.Replace(handshake, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", "400 Bad Request"},
		"HTTP/2":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 Bad Request"},
		"HTTP/9":             {strings.Replace(handshake, "HTTP/1.1", "HTTP/9.9", 1) + "\r\n", "505 HTTP Version Not Supported"},
		"TLS":                {"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", "400 Bad Request"},
		"no host":            {strings.Replace(handshake, "Host: localhost\r\n", "", 1) + "\r\n", "400 Bad Request"},
		"two hosts":          {handshake + "Host: evil.example.org\r\n\r\n", "400 Bad Request"},
		"NUL in a header":    {handshake + "X: a\x00b\r\n\r\n", "400 Bad Request"},
		"blank before colon": {handshake + "X : a\r\n\r\n", "400 Bad Request"},
		"no colon":           {handshake + "X\r\n\r\n", "400 Bad Request"},
		"two lengths":        {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400 Bad Request"},
		"length and chunks":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: x\r\n\r\n{}", "501 Not Implemented"},
		"bad chunk":          {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "400 Bad Request"},
		"chunks for ever":    {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 32), "413 Request Entity Too Large"},
		"dots in the path":   {strings.Replace(handshake, "/realtime/", "/x/../realtime/", 1) + "\r\n", "307 Temporary Redirect"},
		"escaped path":       {strings.Replace(handshake, "/websocket", "/websocket%00", 1) + "\r\n", "404 Not Found"},
		"other path":         {strings.Replace(handshake, "/websocket", "/webSocket", 1) + "\r\n", "404 Not Found"},
		"endless header":     {handshake + "X: " + strings.Repeat("x", 100_000) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		"preflight":          {"OPTIONS /realtime/emulation HTTP/1.1\r\nHost: h\r\nOrigin: https://horizon.example.org\r\n\r\n", "204 No Content"},
		"bad preflight":      {"OPTIONS /realtime/emulation HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"sse without":        {"GET /realtime/connection/sse HTTP/1.1\r\nHost: h\r\n\r\n", "400 Bad Request"},
		"emulation garbage":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "400 Bad Request"},
		"emulation too big":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" + strings.Repeat("x", 90000), "413 Request Entity Too Large"},
		"outside":            {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, _ := strings.Cut(rawStatus(t, w.address(), c.request), ":") // before the reason
			if got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
	eventually(t, "all sessions are gone", func() bool { return w.Sessions() == 0 && w.admittedNow() == 0 })
}

func (s *Server) admittedNow() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admitted
}

// hostileFrames is what a client may send instead of a command, and the code that
// it is sent away with.
func hostileFrames() map[string]hostileFrame {
	bits := func(first byte) []byte { return maskedFrame(first, []byte(`{"id":1}`)) }
	huge := func(length ...byte) []byte { return append(append([]byte{0x81, 0x80 | 127}, length...), 1, 2, 3, 4) }
	return map[string]hostileFrame{
		"unmasked":                {[][]byte{append([]byte{0x81, 8}, `{"id":1}`...)}, 1002},
		"reserved bit 1":          {[][]byte{bits(0xc1)}, 1002},
		"reserved bit 2":          {[][]byte{bits(0xa1)}, 1002},
		"reserved bit 3":          {[][]byte{bits(0x91)}, 1002},
		"reserved opcode 3":       {[][]byte{bits(0x83)}, 1002},
		"reserved opcode 11":      {[][]byte{bits(0x8b)}, 1002},
		"binary":                  {[][]byte{bits(0x82)}, 3501},
		"invalid UTF-8":           {[][]byte{maskedFrame(0x81, []byte{'"', 0xc3, 0x28, '"'})}, 1007},
		"over the limit":          {[][]byte{maskedFrame(0x81, make([]byte, 65<<10))}, 1009},
		"over it in fragments":    {[][]byte{maskedFrame(0x01, make([]byte, 40<<10)), maskedFrame(0x80, make([]byte, 40<<10))}, 1009},
		"length 2^63-1":           {[][]byte{huge(0x7f, 255, 255, 255, 255, 255, 255, 255)}, 1009},
		"length -1":               {[][]byte{huge(255, 255, 255, 255, 255, 255, 255, 255)}, 3501},
		"length -2^63":            {[][]byte{huge(0x80, 0, 0, 0, 0, 0, 0, 0)}, 3501},
		"fragmented ping":         {[][]byte{maskedFrame(0x09, []byte("x"))}, 1002},
		"long ping":               {[][]byte{maskedFrame(0x89, make([]byte, 126))}, 1002},
		"continuation of nothing": {[][]byte{maskedFrame(0x80, []byte("x"))}, 1002},
		"message in a message":    {[][]byte{maskedFrame(0x01, []byte("x")), maskedFrame(0x81, []byte("x"))}, 1002},
		"close with one byte":     {[][]byte{maskedFrame(0x88, []byte{3})}, 1002},
		"close with a bad code":   {[][]byte{maskedFrame(0x88, []byte{0, 1})}, 1002},
		"close":                   {[][]byte{maskedFrame(0x88, []byte{3, 232})}, 1000},
		"ping flood":              {bytes.SplitAfter(bytes.Repeat(maskedFrame(0x89, nil), 2000), nil), 3013},
	}
}

type hostileFrame struct {
	frames [][]byte
	want   uint16
}

func TestHostileFrames(t *testing.T) {
	w := start(t, testConfig())
	witness := w.connected(t, "bob@p1")
	witness.subscribe("public/a")
	for name, c := range hostileFrames() {
		t.Run(name, func(t *testing.T) {
			d := dialTCP(t, w.address())
			d.conn.Write(bytes.Join(c.frames, nil))
			for {
				first, payload, err := d.frame()
				if err != nil {
					t.Fatalf("ended without a close frame: %v", err)
				}
				if first == 0x8a {
					continue // pong
				}
				if first != 0x88 || len(payload) < 2 || uint16(payload[0])<<8|uint16(payload[1]) != c.want {
					t.Fatalf("%x % x %s, not %d", first, payload[:min(2, len(payload))], payload[min(2, len(payload)):], c.want)
				}
				break
			}
			if rest, err := io.ReadAll(d.br); err != nil || len(rest) > 0 {
				t.Fatalf("after the close frame: % x, %v", rest, err)
			}
		})
	}
	w.publish(t, "public/a", `1`)
	if m := witness.hear(); string(m.Push.Pub.Data) != "1" {
		t.Errorf("the witness heard %+v", m)
	}
	witness.conn.Close()
	eventually(t, "all sessions are gone", func() bool { return w.Sessions() == 0 })
}

func TestFragmentsAndPings(t *testing.T) {
	w := start(t, testConfig())
	c := dialTCP(t, w.address())
	text := []byte(`{"id":1,"connect":{"token":"ann@p1"}}`)
	c.conn.Write(maskedFrame(0x01, text[:5]))
	c.conn.Write(maskedFrame(0x89, []byte("are you there?")))
	c.conn.Write(maskedFrame(0x00, nil))
	c.conn.Write(maskedFrame(0x80, text[5:]))
	if first, payload, err := c.frame(); err != nil || first != 0x8a || string(payload) != "are you there?" {
		t.Fatalf("pong: %x %q %v", first, payload, err)
	}
	if m := c.hear(); m.Connect == nil {
		t.Fatalf("connect: %+v", m)
	}
}

func TestSocketsWithoutARequest(t *testing.T) {
	cfg := testConfig()
	cfg.ConnectTimeout = time.Second
	w := start(t, cfg)
	silent, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silent.SetReadDeadline(time.Now().Add(deadline))
	if _, err := io.ReadAll(silent); err != nil {
		t.Errorf("a silent socket was not closed: %v", err)
	}
	c := dialTCP(t, w.address()) // upgrades, and says nothing more
	if code := c.ends(); code != 3502 {
		t.Errorf("ended with %d", code)
	}
}
