package sdk

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for n := range 20 {
		for c := range 256 {
			for at := range n {
				s := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("~", n-at-1)
				if got, want := Plain(s), c >= ' ' && c < 0x7f && c != '"' && c != '\\'; got != want {
					t.Fatalf("%q: %t, want %t", s, got, want)
				}
			}
		}
		if !Plain(strings.Repeat(" ", n)) {
			t.Errorf("%d spaces are not plain", n)
		}
	}
}
