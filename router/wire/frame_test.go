package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestFrame(t *testing.T) {
	for _, n := range []int{1, 125, 126, 65535, 65536, 200_000} {
		var b Batch
		b.Reset("")
		b.plain.Write(bytes.Repeat([]byte{'x'}, n))
		b.Seal()
		f := b.Frame()
		header := map[bool]int{true: 2, false: 4}[n < 126]
		if n >= 65536 {
			header = 10
		}
		if f[0] != 0x81 || len(f) != header+n || len(b.Lines()) != n {
			t.Errorf("%d bytes: header % x, frame of %d", n, f[:header], len(f))
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("0b6e3a6c-9a0f"))
	f.Add([]byte("\"\\\n\x7f\xff\xed\xa0\x80\u2028"))
	f.Fuzz(func(t *testing.T, key []byte) {
		text := appendString(nil, key)
		var got string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if want := strings.ToValidUTF8(string(key), "\ufffd"); strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Fatalf("%q became %q", key, got)
		}
		if bytes.ContainsAny(text, "\n\r") {
			t.Fatalf("%q has a line break", text)
		}
	})
}
