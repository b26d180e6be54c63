package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

// FuzzFrames sends anything over a websocket. What comes back is whole frames, a
// line of JSON in each, and at most one that closes, which is the last.
func FuzzFrames(f *testing.F) {
	connect := clienttest.MaskedFrame(0x81, []byte(`{"id":1,"connect":{"token":"ann@p1"}}`))
	f.Add(connect)
	f.Add([]byte{0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0})
	f.Add(append(clienttest.MaskedFrame(0x01, []byte("a")), clienttest.MaskedFrame(0x00, []byte("b"))...))
	f.Add(append(bytes.Clone(connect), clienttest.MaskedFrame(0x81, []byte(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`+"\n"+`{"id":3,"ping":{}}`))...))
	f.Add(bytes.Join([][]byte{clienttest.MaskedFrame(0x01, []byte(`{"id":1,`)), clienttest.MaskedFrame(0x89, []byte("ping")), clienttest.MaskedFrame(0x8a, nil),
		clienttest.MaskedFrame(0x00, nil), clienttest.MaskedFrame(0x80, []byte(`"connect":{"token":"ann@p1"}}`)), clienttest.MaskedFrame(0x88, []byte{3, 232})}, nil))
	for _, c := range hostileFrames() {
		if frames := bytes.Join(c.frames, nil); len(frames) < 4<<10 {
			f.Add(frames)
			f.Add(append(bytes.Clone(connect), frames...))
		}
	}
	w := start(f, testConfig())
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		out := newOutbox(near, 64<<10, &w.work)
		said := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(far)
			said <- all
		}()
		w.serveFrames(t, out, sent)
		far.Close()
		checkFrames(t, <-said)
		if n := w.sessions.Len(); n > 0 {
			t.Fatalf("%d sessions are left", n)
		}
	})
}

// checkFrames reads what a server has said, the answer to the handshake first.
func checkFrames(t *testing.T, said []byte) {
	t.Helper()
	_, rest, ok := bytes.Cut(said, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no answer to the clienttest.Handshake: %q", said)
	}
	for len(rest) > 0 {
		first, payload, more, err := cutFrame(rest)
		switch {
		case err != nil:
			t.Fatalf("%v: % x", err, rest)
		case first == 0x81:
			for line := range bytes.SplitSeq(payload, []byte{'\n'}) {
				clienttest.Parse(t, line)
			}
		case first == 0x8a && len(payload) < 126:
		case first == 0x88 && len(more) == 0:
		default:
			t.Fatalf("a frame %x of %d bytes, and then %d more", first, len(payload), len(more))
		}
		rest = more
	}
}

// cutFrame cuts the first frame off.
func cutFrame(b []byte) (first byte, payload, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errors.New("half a frame")
	}
	head, n := 2, int(b[1])
	switch {
	case n == 126 && len(b) >= 4:
		head, n = 4, int(binary.BigEndian.Uint16(b[2:]))
	case n > 125:
		return 0, nil, nil, errors.New("a masked frame, or one too long for an answer")
	}
	if len(b) < head+n {
		return 0, nil, nil, errors.New("half a frame")
	}
	return b[0], b[head : head+n], b[head+n:], nil
}
