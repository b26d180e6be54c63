package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"horizon-realtime/router/auth"
)

// fuzzed is a session that the fuzzer's own goroutine runs.
func fuzzed(w *world) *session {
	s := newSession(w.Server, nil, "")
	w.limits.addAddress("")
	w.mu.Lock()
	w.admitted++
	w.mu.Unlock()
	return s
}

// nothingIsLeft checks that an ended session has let go of all it had.
func nothingIsLeft(t *testing.T, w *world, s *session) {
	t.Helper()
	w.limits.mu.Lock()
	users, addresses := len(w.limits.users), len(w.limits.addresses)
	w.limits.mu.Unlock()
	if users+addresses+w.admittedNow()+w.Sessions() > 0 || s.subs != nil || s.request != nil || s.timer.slot >= 0 {
		t.Fatalf("left behind: %d users, %d addresses, %d admitted, %d sessions, %v", users, addresses, w.admittedNow(), w.Sessions(), s.subs)
	}
}

// FuzzCommands has a session handle anything. What it says is a line of JSON
// each, what it holds is its own, and when it ends nothing is left.
func FuzzCommands(f *testing.F) {
	const connect = `{"id":1,"connect":{"token":"ann@p1"}}` + "\n"
	for _, s := range []string{
		`{"id":1,"connect":{"token":"ann@p1","data":{}}}` + "\n" + `{"id":2,"subscribe":{"channel":"project/p1/a","recover":true,"epoch":"e","offset":41}}`,
		`{"id":1,"connect":{"token":"ann"}}` + "\n{}\n" + `{"id":2,"unsubscribe":{"channel":"a"}}`,
		`{"id":1,"connect":{"token":"ann@p1/1h"}}` + "\n" + `{"id":3,"refresh":{"token":"x"}}` + "\n" + `{"send":{}}`,
		`{"id":1,"connect":{"token":"ann@p1/never"}}` + "\n" + `{"id":2,"refresh":{"token":"ann@p1"}}`,
		"\n \r\n[[[", `{"id":4294967296}`, `null`, `{"ID":1,"Connect":{}}`,
		connect + `{"id":2,"subscribe":{"channel":"user/ann/*"}}` + "\n" + `{"id":2,"subscribe":{"channel":"public/a","offset":18446744073709551615}}`,
		connect + `{"id":2,"subscribe":{"channel":"public/a"}}` + "\n" + `{"id":3,"sub_refresh":{"channel":"public/a","token":"t"}}` + "\n" + `{"id":4,"unsubscribe":{"channel":"public/a"}}`,
		connect + `{"id":2,"refresh":{"token":"ann@p1/1h"}}` + "\n" + `{"id":3,"refresh":{"token":"ann@p2"}}`,
		connect + `{"id":2,"refresh":{"token":"root@p1"}}` + "\n" + `{"id":3,"subscribe":{"channel":"admin/*"}}` + "\n" + `{"id":4,"refresh":{"token":"ann@p1"}}`,
		connect + `{"id":2,"publish":{}}` + "\n" + `{"id":3,"rpc":{}}` + "\n" + `{"id":4,"presence":{}}` + "\n" + `{"id":5,"presence_stats":{}}` + "\n" + `{"id":6,"history":{}}` + "\n" + `{"id":7,"ping":{}}`,
		connect + `{"id":2,"connect":{},"subscribe":{"channel":"project/p2/a"},"unsubscribe":null}`,
		connect + strings.Repeat("{}\n", 400),
		`{"id":1,"connect":{"token":"\ud800\u0000"}}`, `{"id":1e2,"connect":{}}`, `{"id":-0,"connect":{}}`, "\xef\xbb\xbf{}",
		`{"id":1,"connect":` + strings.Repeat(`{"a":`, 50) + `1` + strings.Repeat(`}`, 51),
	} {
		f.Add([]byte(s))
	}
	for _, c := range spellings {
		f.Add([]byte(connect + `{"id":2,"subscribe":{"channel":` + c.json + `}}`))
	}
	w := start(f, testConfig())
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := &recorder{}
		s := fuzzed(w)
		s.transport = c
		w.add(s)
		ended := false
		defer func() {
			if !ended { // a panic, which later inputs are not to be blamed for
				s.end()
			}
		}()
		s.handle(frame)
		s.mu.Lock()
		if len(s.subs) > w.cfg.MaxSubscriptions {
			t.Errorf("%d subscriptions", len(s.subs))
		}
		for _, sub := range s.subs {
			if err := auth.MayHear(s.identity, sub.Channel); err != nil {
				t.Errorf("%s hears %s: %v", s.identity.User, sub.Channel.Name, err)
			}
		}
		s.mu.Unlock()
		ended = true
		s.end()
		nothingIsLeft(t, w, s)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, line := range c.lines {
			parseMessage(t, line)
			if bytes.ContainsAny(line, "\n") {
				t.Errorf("%q has a line break", line)
			}
		}
	})
}

// FuzzFrames sends anything over a websocket. What comes back is whole frames, a
// line of JSON in each, and at most one that closes, which is the last.
func FuzzFrames(f *testing.F) {
	connect := maskedFrame(0x81, []byte(`{"id":1,"connect":{"token":"ann@p1"}}`))
	f.Add(connect)
	f.Add([]byte{0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0})
	f.Add(append(maskedFrame(0x01, []byte("a")), maskedFrame(0x00, []byte("b"))...))
	f.Add(append(bytes.Clone(connect), maskedFrame(0x81, []byte(`{"id":2,"subscribe":{"channel":"project/p1/*"}}`+"\n"+`{"id":3,"ping":{}}`))...))
	f.Add(bytes.Join([][]byte{maskedFrame(0x01, []byte(`{"id":1,`)), maskedFrame(0x89, []byte("ping")), maskedFrame(0x8a, nil),
		maskedFrame(0x00, nil), maskedFrame(0x80, []byte(`"connect":{"token":"ann@p1"}}`)), maskedFrame(0x88, []byte{3, 232})}, nil))
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
		s := fuzzed(w)
		said := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(far)
			said <- all
		}()
		serveFrames(t, w.Server, s, out, sent, far)
		far.Close()
		checkFrames(t, <-said)
		nothingIsLeft(t, w, s)
	})
}

// checkFrames reads what a server has said, the answer to the handshake first.
func checkFrames(t *testing.T, said []byte) {
	t.Helper()
	_, rest, ok := bytes.Cut(said, []byte("\r\n\r\n"))
	if !ok {
		t.Fatalf("no answer to the handshake: %q", said)
	}
	for len(rest) > 0 {
		first, payload, more, err := cutFrame(rest)
		switch {
		case err != nil:
			t.Fatalf("%v: % x", err, rest)
		case first == 0x81:
			for line := range bytes.SplitSeq(payload, []byte{'\n'}) {
				parseMessage(t, line)
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
