package panel

import (
	"strings"
	"testing"
	"unicode/utf8"

	"horizon-realtime/sdk"
)

func TestKeysFit(t *testing.T) {
	for _, id := range []string{"", "web", strings.Repeat("a", maxKey), strings.Repeat("a", maxKey+1), strings.Repeat("ключ", 64), strings.Repeat("☃", 255)} {
		k := Key(id)
		if len(k) > maxKey || !utf8.ValidString(k) {
			t.Errorf("the key of %q is %q, of %d bytes", id, k, len(k))
		}
		if len(id) <= maxKey && k != id {
			t.Errorf("the key of %q is %q", id, k)
		}
	}
	long := strings.Repeat("a", 2*maxKey)
	if Key(long+"1") == Key(long+"2") {
		t.Error("two long ids have one key")
	}
}

func TestSmall(t *testing.T) {
	for name, c := range map[string]struct {
		value sdk.Value
		known bool
	}{
		"a word":         {sdk.StringValue("word"), true},
		"a book":         {sdk.StringValue(strings.Repeat("a", maxField+1)), false},
		"a list":         {sdk.Parse(`["a","b"]`), true},
		"an endless one": {sdk.Parse(`["` + strings.Repeat("a", maxField) + `"]`), false},
		"nothing":        {sdk.Value{}, false},
	} {
		if got := Small(c.value).Known(); got != c.known {
			t.Errorf("%s: known %t, want %t", name, got, c.known)
		}
	}
}
