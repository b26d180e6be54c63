package transport

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"horizon-realtime/router/server/clienttest"
)

// TestFrameGuard reads frames of all lengths, in pieces of all lengths: good ones
// pass unchanged, and one that is not is found after any of them.
func TestFrameGuard(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var good []byte
		for range r.IntN(5) {
			length := []int{0, 1, 125, 126, 300, 65535, 65536, 70000}[r.IntN(8)]
			first := []byte{0x81, 0xc1, 0x01, 0x41, 0x80, 0x00, 0x89, 0x8a, 0x82, 0xc2}[r.IntN(10)]
			good = append(good, clienttest.MaskedFrame(first, bytes.Repeat([]byte{0xff}, length))...)
		}
		bad := clienttest.MaskedFrame([]byte{0xa1, 0x91, 0xc9, 0xca, 0xc8, 0xc0, 0x40}[r.IntN(7)], nil)
		for _, c := range []struct {
			sent    []byte
			refused int
		}{{good, 0}, {append(bytes.Clone(good), bad...), 1}} {
			refused := 0
			g := &frameGuard{from: pieces{bytes.NewReader(c.sent), r}, refuse: func() { refused++ }}
			got, err := io.ReadAll(g)
			if refused != c.refused || (err == errReserved) != (c.refused > 0) {
				t.Fatalf("%d bytes: refused %d times, %v", len(c.sent), refused, err)
			}
			if c.refused == 0 && !bytes.Equal(got, good) || !bytes.HasPrefix(good, got) {
				t.Fatal("what passed is not what was sent")
			}
		}
	}
}

// pieces reads a few bytes at a time.
type pieces struct {
	io.Reader
	r *rand.Rand
}

func (p pieces) Read(b []byte) (int, error) {
	return p.Reader.Read(b[:min(len(b), 1+p.r.IntN(1000)*p.r.IntN(2))])
}
