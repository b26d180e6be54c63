package json

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePointerRefusals(t *testing.T) {
	for name, s := range map[string]string{
		"no slash":          "payload",
		"lone tilde":        "/a~",
		"unknown tilde":     "/a~2b",
		"not UTF-8":         "/\xff",
		"too many segments": strings.Repeat("/a", MaxPointerSegments+1),
		"too long":          "/" + strings.Repeat("a", MaxPointerBytes),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := ParsePointer(s); !errors.Is(err, ErrPointer) {
				t.Errorf("%q: %v, %v", s, p, err)
			}
		})
	}
}

func TestParsePointerKeepsItsText(t *testing.T) {
	for _, s := range []string{"", "/", "/a~1b/m~0n/0", strings.Repeat("/a", MaxPointerSegments)} {
		if p := pointer(t, s); p.String() != s {
			t.Errorf("%q came back as %q", s, p)
		}
	}
}

func FuzzPointer(f *testing.F) {
	f.Add("/payload/nova_object.data/uuid", `{"payload":{"nova_object.data":{"uuid":"1"}}}`)
	f.Add("/l/10/~0~1", `{"l":[]}`)
	f.Fuzz(func(t *testing.T, s, text string) {
		p, err := ParsePointer(s)
		if err != nil {
			if !errors.Is(err, ErrPointer) {
				t.Fatal(err)
			}
			return
		}
		var d Document
		if d.Parse([]byte(text)) == nil {
			v := d.Get(p)
			if got := v.AppendTo(nil); len(got) > v.Size() {
				t.Fatalf("%q is longer than %d", got, v.Size())
			}
		}
	})
}
