package wire

import (
	"bytes"
	"testing"
	"time"
)

func TestAppendBody(t *testing.T) {
	at := time.UnixMilli(1764547200123)
	for want, p := range map[string]Publication{
		`"data":{},"offset":1`: {Data: []byte(`{}`), Offset: 1},
		`"data":{},"offset":9007199254740991,"key":"k","removed":true,"time":1764547200123`: {
			Data: []byte(`{}`), Offset: 1<<53 - 1, Key: []byte("k"), Removed: true, Time: at},
		`"data":1,"offset":2,"key":"a\"\\\u000a"`:     {Data: []byte(`1`), Offset: 2, Key: []byte("a\"\\\n")},
		"\"data\":1,\"offset\":2,\"key\":\"a\ufffd\"": {Data: []byte(`1`), Offset: 2, Key: []byte("a\xff")},
	} {
		if got := string(AppendBody(nil, &p)); got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
	}
}

// TestBatch: subscribers to a wildcard are told each message's channel, and any
// message can be sent alone.
func TestBatch(t *testing.T) {
	body := AppendBody(nil, &Publication{Data: []byte(`1`), Offset: 5})
	for pattern, want := range map[string]string{
		"public/a": `{"push":{"channel":"public/a","pub":{"data":1,"offset":5}}}`,
		"public/*": `{"push":{"channel":"public/*","pub":{"data":1,"offset":5,"tags":{"channel":"public/a"}}}}`,
	} {
		var b Batch
		for range 2 { // a batch is used again
			b.Reset(pattern)
			b.Add("public/a", []byte("k1"), body)
			b.Add("public/a", []byte("k2"), body)
			b.Seal()
			if string(b.Lines()) != want+"\n"+want || b.Size() != len(b.Lines()) || b.Pattern() != pattern {
				t.Errorf("%s: %s", pattern, b.Lines())
			}
			if !bytes.HasSuffix(b.Frame(), b.Lines()) {
				t.Errorf("%s: the frame is %q", pattern, b.Frame())
			}
			if m := b.Message(1); b.Len() != 2 || string(m.Line) != want || m.Channel != "public/a" || string(m.Key) != "k2" {
				t.Errorf("%s: the second of %d is %s %s %s", pattern, b.Len(), m.Line, m.Channel, m.Key)
			}
		}
	}
}

func TestAppendSkipped(t *testing.T) {
	for line, want := range map[string]string{
		`{"push":{"channel":"public/a","pub":{"data":1}}}`:                               `{"push":{"channel":"public/a","pub":{"data":1,"tags":{"skipped":"12"}}}}`,
		`{"push":{"channel":"public/*","pub":{"data":1,"tags":{"channel":"public/a"}}}}`: `{"push":{"channel":"public/*","pub":{"data":1,"tags":{"channel":"public/a","skipped":"12"}}}}`,
	} {
		if got := string(AppendSkipped(nil, []byte(line), 12)); got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
	}
}
