package transport

import (
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"strings"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

func TestDeflateNegotiation(t *testing.T) {
	for name, c := range map[string]struct {
		offers []string
		want   bool
	}{
		"none":                {nil, false},
		"plain":               {[]string{"permessage-deflate"}, true},
		"a browser's":         {[]string{"permessage-deflate; client_max_window_bits"}, true},
		"everything":          {[]string{`permessage-deflate;server_no_context_takeover ; client_no_context_takeover; server_max_window_bits="15";client_max_window_bits=8`}, true},
		"a small window":      {[]string{"permessage-deflate; server_max_window_bits=10"}, false},
		"a small one or any":  {[]string{"permessage-deflate; server_max_window_bits=10, permessage-deflate"}, true},
		"or, in two headers":  {[]string{"permessage-deflate; server_max_window_bits=10", "permessage-deflate"}, true},
		"window without size": {[]string{"permessage-deflate; server_max_window_bits"}, false},
		"absurd window":       {[]string{"permessage-deflate; client_max_window_bits=16"}, false},
		"value too many":      {[]string{"permessage-deflate; client_no_context_takeover=1"}, false},
		"said twice":          {[]string{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, false},
		"unknown parameter":   {[]string{"permessage-deflate; level=9"}, false},
		"other extension":     {[]string{"x-webkit-deflate-frame, permessage-deflated"}, false},
	} {
		r := &http.Request{Header: http.Header{extensions: c.offers}}
		if got := negotiateDeflate(r, true); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		if left := r.Header.Get(extensions); (left == "permessage-deflate") != c.want || !c.want && left != "" {
			t.Errorf("%s: gws is left %q", name, left)
		}
	}
	if negotiateDeflate(&http.Request{Header: http.Header{extensions: {"permessage-deflate"}}}, false) {
		t.Error("compresses though it is off")
	}
}

// deflatedFrame is a compressed text message as a client has to send it.
func deflatedFrame(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, text)
	w.Flush()
	return clienttest.MaskedFrame(0xc1, bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 255, 255}))
}

// deflating gives a client that has offered to compress.
func (w *world) deflating(t testing.TB) *clienttest.Websocket {
	t.Helper()
	c, got := clienttest.DialDeflating(t, w.address())
	if got != "permessage-deflate; server_no_context_takeover; client_no_context_takeover" {
		t.Fatalf("extensions %q", got)
	}
	return c
}

func startDeflating(t *testing.T) *world {
	cfg := testConfig()
	cfg.Compression = true
	return start(t, cfg)
}

func TestDeflatedConnection(t *testing.T) {
	w := startDeflating(t)
	plain := w.connected(t, "ann@p1")
	plain.Subscribe("project/p1/a")
	var both []*clienttest.Websocket
	for range 2 {
		c := w.deflating(t)
		c.Conn.Write(deflatedFrame(t, `{"id":1,"connect":{"token":"ann@p1"}}`))
		c.Hear()
		c.Conn.Write(deflatedFrame(t, `{"id":1000,"subscribe":{"channel":"project/p1/a"}}`))
		if m := c.Hear(); m.Subscribe == nil {
			t.Fatalf("subscribe: %+v", m)
		}
		both = append(both, c)
	}
	for _, data := range []string{`1`, `"` + strings.Repeat("long ", 2000) + `"`, `2`} {
		w.hub.Say(t, "project/p1/a", data)
		_, want, err := plain.Frame()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range both {
			first, payload, err := c.Frame()
			if err != nil {
				t.Fatal(err)
			}
			if long := len(data) > 1; long != (first == 0xc1) || long && len(payload) > len(data)/10 {
				t.Fatalf("%d bytes of data came as a frame %x of %d", len(data), first, len(payload))
			}
			if first == 0xc1 {
				payload, _ = io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
			}
			if !bytes.Equal(payload, want) {
				t.Fatalf("%.100s is not %.100s", payload, want)
			}
		}
	}
}

func TestHostileDeflate(t *testing.T) {
	w := startDeflating(t)
	bomb := deflatedFrame(t, strings.Repeat(" ", 40<<20)) // 40 KB as it is sent
	if len(bomb) >= w.cfg.FrameBytes {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	for name, c := range map[string]struct {
		frame []byte
		want  uint16
	}{
		"bomb":                    {bomb, 1009},
		"garbage":                 {clienttest.MaskedFrame(0xc1, []byte("\xffthis is not compressed")), 1007},
		"cut off":                 {clienttest.MaskedFrame(0xc1, deflatedFrame(t, strings.Repeat(`{"id":1}`, 100))[6:20]), 1007},
		"invalid UTF-8":           {deflatedFrame(t, "\"\xc3\x28\""), 1007},
		"bomb in a ping":          {clienttest.MaskedFrame(0xc9, make([]byte, 126)), 1002},
		"reserved bit 2":          {clienttest.MaskedFrame(0xa1, []byte("x")), 1002},
		"reserved bit 3":          {clienttest.MaskedFrame(0x91, []byte("x")), 1002},
		"compressed ping":         {clienttest.MaskedFrame(0xc9, []byte("x")), 1002},
		"compressed continuation": {append(clienttest.MaskedFrame(0x01, []byte("x")), clienttest.MaskedFrame(0xc0, []byte("x"))...), 1002},
		"after a good one":        {append(deflatedFrame(t, `{"id":1,"connect":{"token":"ann@p1"}}`), clienttest.MaskedFrame(0xa1, nil)...), 1002},
		"not a command":           {deflatedFrame(t, `hello`), 3501},
		"uncompressed is":         {clienttest.MaskedFrame(0x81, []byte(`hello`)), 3501},
	} {
		t.Run(name, func(t *testing.T) {
			d := w.deflating(t)
			d.Conn.Write(c.frame)
			if code := d.Ends(); code != c.want {
				t.Errorf("ended with %d, not %d", code, c.want)
			}
		})
	}
	w.nobodyIsLeft(t)
	off := start(t, testConfig())
	d := off.dial(t)
	d.Conn.Write(deflatedFrame(t, `{"id":1,"ping":{}}`))
	if code := d.Ends(); code != 1002 {
		t.Errorf("a compressed frame where it is off ended with %d", code)
	}
}
