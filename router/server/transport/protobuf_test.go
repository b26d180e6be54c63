package transport

import (
	"net/http"
	"strings"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

// TestProtobuf: a client that speaks Protobuf is told why it cannot stay, in the way
// that its transport has.
func TestProtobuf(t *testing.T) {
	w := start(t, testConfig())
	for name, c := range map[string]struct {
		header string
		frame  []byte
	}{
		"an offer":                {"Sec-WebSocket-Protocol: centrifuge-protobuf\r\n", nil},
		"an offer among others":   {"Sec-WebSocket-Protocol: x, centrifuge-protobuf\r\n", nil},
		"a message without offer": {"", clienttest.MaskedFrame(0x82, []byte{8, 1, 34, 0})},
	} {
		t.Run(name, func(t *testing.T) {
			d, answer := clienttest.Open(t, w.address(), c.header)
			want := map[bool]string{true: "centrifuge-protobuf"}[c.header != ""]
			if got := answer.Header.Get("Sec-WebSocket-Protocol"); answer.StatusCode != http.StatusSwitchingProtocols || got != want {
				t.Fatalf("%s, protocol %q", answer.Status, got)
			}
			d.Conn.Write(c.frame)
			_, err := d.Next()
			if closed, ok := err.(*clienttest.Closed); !ok || closed.Code != 3501 || !strings.Contains(closed.Reason, "JSON only") {
				t.Errorf("ended with %v", err)
			}
		})
	}
	for _, path := range []string{"/realtime/connection/http_stream", "/realtime/emulation"} {
		answer, err := http.Post(w.http.URL+path, "application/octet-stream", strings.NewReader("\x08\x01"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnsupportedMediaType || answer.Header.Get("Accept-Post") != "application/json" {
			t.Errorf("%s: %s %v", path, answer.Status, answer.Header)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	w.nobodyIsLeft(t)
}
