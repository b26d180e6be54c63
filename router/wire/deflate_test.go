package wire

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var benchData = `{"v":1,"event":"compute.instance.update","id":"` + strings.Repeat("x", 250) + `"}`

func TestDeflated(t *testing.T) {
	noise := make([]byte, 2000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte('!' + r.IntN(90))
	}
	for name, c := range map[string]struct {
		payload string
		smaller bool
	}{
		"short":   {`{"a":1}`, false},
		"noise":   {string(noise[:300]), false},
		"message": {strings.Repeat(benchData, 2), true},
		"long":    {strings.Repeat(benchData+string(noise), 1000), true}, // megabytes, over any window
	} {
		t.Run(name, func(t *testing.T) {
			var b Batch
			for range 2 { // a batch is used again
				b.Reset("")
				b.plain.Write([]byte(c.payload))
				b.Seal()
				f := b.Deflated()
				if &f[0] != &b.Deflated()[0] {
					t.Error("compressed twice")
				}
				if (f[0] == finTextDeflated) != c.smaller {
					t.Fatalf("%d bytes became a frame %x of %d", len(c.payload), f[0], len(f))
				}
				if !c.smaller {
					if !bytes.Equal(f, b.Frame()) {
						t.Error("not the frame")
					}
					continue
				}
				// What a receiver does: RFC 7692, section 7.2.2.
				stream := io.MultiReader(bytes.NewReader(b.packed.payload()), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
				got, err := io.ReadAll(flate.NewReader(stream))
				if err != nil || string(got) != c.payload {
					t.Fatalf("inflated to %d bytes, %v", len(got), err)
				}
			}
		})
	}
}

// BenchmarkDeflated is compressing one batch of so many messages.
func BenchmarkDeflated(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "10": 10} {
		b.Run(name, func(b *testing.B) {
			var batch Batch
			batch.Reset("public/a")
			body := AppendBody(nil, &Publication{Data: []byte(benchData), Offset: 1000, Key: []byte("0b6e3a6c-9a0f-4e53-a9d3-5a3d1c3a2b10"), Time: time.Now()})
			for range n {
				batch.Add("public/a", nil, body)
			}
			batch.Seal()
			b.ReportAllocs()
			for b.Loop() {
				batch.tried = false
				batch.Deflated()
			}
		})
	}
}
