package transport

import (
	"bytes"
	"io"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

// hostileFrames is what a client may send instead of a command, and the code that
// it is sent away with.
func hostileFrames() map[string]hostileFrame {
	bits := func(first byte) []byte { return clienttest.MaskedFrame(first, []byte(`{"id":1}`)) }
	huge := func(length ...byte) []byte { return append(append([]byte{0x81, 0x80 | 127}, length...), 1, 2, 3, 4) }
	return map[string]hostileFrame{
		"unmasked":                {[][]byte{append([]byte{0x81, 8}, `{"id":1}`...)}, 1002},
		"reserved bit 1":          {[][]byte{bits(0xc1)}, 1002},
		"reserved bit 2":          {[][]byte{bits(0xa1)}, 1002},
		"reserved bit 3":          {[][]byte{bits(0x91)}, 1002},
		"reserved opcode 3":       {[][]byte{bits(0x83)}, 1002},
		"reserved opcode 11":      {[][]byte{bits(0x8b)}, 1002},
		"binary":                  {[][]byte{bits(0x82)}, 3501},
		"invalid UTF-8":           {[][]byte{clienttest.MaskedFrame(0x81, []byte{'"', 0xc3, 0x28, '"'})}, 1007},
		"over the limit":          {[][]byte{clienttest.MaskedFrame(0x81, make([]byte, 65<<10))}, 1009},
		"over it in fragments":    {[][]byte{clienttest.MaskedFrame(0x01, make([]byte, 40<<10)), clienttest.MaskedFrame(0x80, make([]byte, 40<<10))}, 1009},
		"length 2^63-1":           {[][]byte{huge(0x7f, 255, 255, 255, 255, 255, 255, 255)}, 1009},
		"length -1":               {[][]byte{huge(255, 255, 255, 255, 255, 255, 255, 255)}, 3501},
		"length -2^63":            {[][]byte{huge(0x80, 0, 0, 0, 0, 0, 0, 0)}, 3501},
		"fragmented ping":         {[][]byte{clienttest.MaskedFrame(0x09, []byte("x"))}, 1002},
		"long ping":               {[][]byte{clienttest.MaskedFrame(0x89, make([]byte, 126))}, 1002},
		"continuation of nothing": {[][]byte{clienttest.MaskedFrame(0x80, []byte("x"))}, 1002},
		"message in a message":    {[][]byte{clienttest.MaskedFrame(0x01, []byte("x")), clienttest.MaskedFrame(0x81, []byte("x"))}, 1002},
		"close with one byte":     {[][]byte{clienttest.MaskedFrame(0x88, []byte{3})}, 1002},
		"close with a bad code":   {[][]byte{clienttest.MaskedFrame(0x88, []byte{0, 1})}, 1002},
		"close":                   {[][]byte{clienttest.MaskedFrame(0x88, []byte{3, 232})}, 1000},
		"ping flood":              {bytes.SplitAfter(bytes.Repeat(clienttest.MaskedFrame(0x89, nil), 2000), nil), 3013},
	}
}

type hostileFrame struct {
	frames [][]byte
	want   uint16
}

func TestHostileFrames(t *testing.T) {
	w := start(t, testConfig())
	witness := w.connected(t, "bob@p1")
	witness.Subscribe("public/a")
	for name, c := range hostileFrames() {
		t.Run(name, func(t *testing.T) {
			d := w.dial(t)
			d.Conn.Write(bytes.Join(c.frames, nil))
			for {
				first, payload, err := d.Frame()
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
			if rest, err := io.ReadAll(d.Reader); err != nil || len(rest) > 0 {
				t.Fatalf("after the close frame: % x, %v", rest, err)
			}
		})
	}
	w.hub.Say(t, "public/a", `1`)
	if m := witness.Hear(); string(m.Push.Pub.Data) != "1" {
		t.Errorf("the witness heard %+v", m)
	}
	witness.Conn.Close()
	w.nobodyIsLeft(t)
}

func TestFragmentsAndPings(t *testing.T) {
	w := start(t, testConfig())
	c := w.dial(t)
	text := []byte(`{"id":1,"connect":{"token":"ann@p1"}}`)
	c.Conn.Write(clienttest.MaskedFrame(0x01, text[:5]))
	c.Conn.Write(clienttest.MaskedFrame(0x89, []byte("are you there?")))
	c.Conn.Write(clienttest.MaskedFrame(0x00, nil))
	c.Conn.Write(clienttest.MaskedFrame(0x80, text[5:]))
	if first, payload, err := c.Frame(); err != nil || first != 0x8a || string(payload) != "are you there?" {
		t.Fatalf("pong: %x %q %v", first, payload, err)
	}
	if m := c.Hear(); m.Connect == nil {
		t.Fatalf("connect: %+v", m)
	}
}
