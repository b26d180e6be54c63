package server

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/testwait"
)

func TestHandshakes(t *testing.T) {
	cfg := testConfig()
	cfg.AllowedOrigins = []string{"https://horizon.example.org"}
	w := start(t, cfg)
	for name, c := range map[string]struct{ request, want string }{
		"good":               {clienttest.Handshake + "\r\n", "101 Switching Protocols"},
		"subprotocol":        {clienttest.Handshake + "Sec-WebSocket-Protocol: centrifuge-json\r\n\r\n", "101 Switching Protocols"},
		"compression":        {clienttest.Handshake + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", "101 Switching Protocols"},
		"own origin":         {clienttest.Handshake + "Origin: http://LOCALHOST\r\n\r\n", "101 Switching Protocols"},
		"allowed origin":     {clienttest.Handshake + "Origin: https://Horizon.example.org\r\n\r\n", "101 Switching Protocols"},
		"other origin":       {clienttest.Handshake + "Origin: https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"other scheme":       {clienttest.Handshake + "Origin: http://horizon.example.org\r\n\r\n", "403 Forbidden"},
		"other port":         {clienttest.Handshake + "Origin: http://localhost:81\r\n\r\n", "403 Forbidden"},
		"null origin":        {clienttest.Handshake + "Origin: null\r\n\r\n", "403 Forbidden"},
		"two origins":        {clienttest.Handshake + "Origin: https://horizon.example.org https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"POST":               {strings.Replace(clienttest.Handshake, "GET", "POST", 1) + "\r\n", "405 Method Not Allowed"},
		"no upgrade":         {strings.Replace(clienttest.Handshake, "Upgrade: websocket\r\n", "", 1) + "\r\n", "400 Bad Request"},
		"no connection":      {strings.Replace(clienttest.Handshake, ", Upgrade", "", 1) + "\r\n", "400 Bad Request"},
		"old version":        {strings.Replace(clienttest.Handshake, "Version: 13", "Version: 8", 1) + "\r\n", "426 Upgrade Required"},
		"no key":             {strings.Replace(clienttest.Handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: ", 1) + "\r\n", "400 Bad Request"},
		"short key":          {strings.Replace(clienttest.Handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: dGhlIHNhbXBsZQ==", 1) + "\r\n", "400 Bad Request"},
		"key of garbage":     {strings.Replace(clienttest.Handshake, "Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: !GhlIHNhbXBsZSBub25jZQ==", 1) + "\r\n", "400 Bad Request"},
		"two keys":           {clienttest.Handshake + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", "400 Bad Request"},
		"HTTP/1.0":           {strings.Replace(clienttest.Handshake, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", "400 Bad Request"},
		"HTTP/2":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 Bad Request"},
		"HTTP/9":             {strings.Replace(clienttest.Handshake, "HTTP/1.1", "HTTP/9.9", 1) + "\r\n", "505 HTTP Version Not Supported"},
		"TLS":                {"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", "400 Bad Request"},
		"no host":            {strings.Replace(clienttest.Handshake, "Host: localhost\r\n", "", 1) + "\r\n", "400 Bad Request"},
		"two hosts":          {clienttest.Handshake + "Host: evil.example.org\r\n\r\n", "400 Bad Request"},
		"NUL in a header":    {clienttest.Handshake + "X: a\x00b\r\n\r\n", "400 Bad Request"},
		"blank before colon": {clienttest.Handshake + "X : a\r\n\r\n", "400 Bad Request"},
		"no colon":           {clienttest.Handshake + "X\r\n\r\n", "400 Bad Request"},
		"two lengths":        {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400 Bad Request"},
		"length and chunks":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: x\r\n\r\n{}", "501 Not Implemented"},
		"bad chunk":          {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "400 Bad Request"},
		"chunks for ever":    {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 32), "413 Request Entity Too Large"},
		"dots in the path":   {strings.Replace(clienttest.Handshake, "/realtime/", "/x/../realtime/", 1) + "\r\n", "307 Temporary Redirect"},
		"escaped path":       {strings.Replace(clienttest.Handshake, "/websocket", "/websocket%00", 1) + "\r\n", "404 Not Found"},
		"other path":         {strings.Replace(clienttest.Handshake, "/websocket", "/webSocket", 1) + "\r\n", "404 Not Found"},
		"endless header":     {clienttest.Handshake + "X: " + strings.Repeat("x", 100_000) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		"preflight":          {"OPTIONS /realtime/emulation HTTP/1.1\r\nHost: h\r\nOrigin: https://horizon.example.org\r\n\r\n", "204 No Content"},
		"bad preflight":      {"OPTIONS /realtime/emulation HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example.org\r\n\r\n", "403 Forbidden"},
		"sse without":        {"GET /realtime/connection/sse HTTP/1.1\r\nHost: h\r\n\r\n", "400 Bad Request"},
		"emulation garbage":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "400 Bad Request"},
		"emulation too big":  {"POST /realtime/emulation HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" + strings.Repeat("x", 90000), "413 Request Entity Too Large"},
		"outside":            {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, _ := strings.Cut(clienttest.Status(t, w.address(), strings.ReplaceAll(c.request, "\r\n\r\n\r\n", "\r\n\r\n")), ":") // before the reason
			if got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
	w.nobodyIsLeft(t)
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
	silent.SetReadDeadline(time.Now().Add(testwait.Limit))
	if _, err := io.ReadAll(silent); err != nil {
		t.Errorf("a silent socket was not closed: %v", err)
	}
	c := clienttest.DialTCP(t, w.address()) // upgrades, and says nothing more
	if code := c.Ends(); code != 3502 {
		t.Errorf("ended with %d", code)
	}
}

// TestRefusalsSayWhatToDo: headers that tell a client what would have worked.
func TestRefusalsSayWhatToDo(t *testing.T) {
	w := start(t, testConfig())
	for name, c := range map[string]struct{ method, path, version, header, want string }{
		"method of websocket":   {"POST", "/connection/websocket", "13", "Allow", "GET, OPTIONS"},
		"method of http_stream": {"GET", "/connection/http_stream", "", "Allow", "POST, OPTIONS"},
		"method of sse":         {"DELETE", "/connection/sse", "", "Allow", "GET, OPTIONS"},
		"method of emulation":   {"GET", "/emulation", "", "Allow", "POST, OPTIONS"},
		"version":               {"GET", "/connection/websocket", "8", "Sec-WebSocket-Version", "13"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, "http://"+w.address()+"/realtime"+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			r.Header.Set("Sec-WebSocket-Version", c.version)
			own := &http.Transport{DisableKeepAlives: true}
			answer, err := own.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			status := map[bool]int{true: http.StatusMethodNotAllowed, false: http.StatusUpgradeRequired}[c.header == "Allow"]
			if got := answer.Header.Get(c.header); answer.StatusCode != status || got != c.want {
				t.Errorf("%s, %s: %q", answer.Status, c.header, got)
			}
		})
	}
}
