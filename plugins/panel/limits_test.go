package panel

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"horizon-realtime/sdk"
)

func TestKeysFit(t *testing.T) {
	for _, id := range []string{"", "web", strings.Repeat("a", maxKey), strings.Repeat("a", maxKey+1), strings.Repeat("ключ", 64), strings.Repeat("☃", 255), "a\nb", "\x7f", "ü\u0085", strings.Repeat("\x01", 255)} {
		k := Key(id)
		if len(k) > maxKey || !utf8.ValidString(k) {
			t.Errorf("the key of %q is %q, of %d bytes", id, k, len(k))
		}
		if strings.ContainsFunc(k, unicode.IsControl) {
			t.Errorf("the key %q has control characters", k)
		}
		if len(id) <= maxKey && k != id && !strings.ContainsFunc(id, unicode.IsControl) {
			t.Errorf("the key of %q is %q", id, k)
		}
	}
	for _, id := range []string{"a\nb", "\x00", "b\x7f", "c\u0085", strings.Repeat("a", maxKey) + "\t", "é\u009f"} {
		k := Key(id)
		if len(k) > maxKey || !utf8.ValidString(k) || strings.ContainsFunc(k, unicode.IsControl) || k == Key(id+"x") {
			t.Errorf("the key of %q is %q", id, k)
		}
	}
	if k := Key("a\u00a0b"); k != "a\u00a0b" {
		t.Errorf("a space that does not break is no control character: %q", k)
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
		"a book":         {sdk.StringValue(strings.Repeat("a", maxColumn+1)), false},
		"a list":         {sdk.Parse(`["a","b"]`), true},
		"an endless one": {sdk.Parse(`["` + strings.Repeat("a", maxColumn) + `"]`), false},
		"nothing":        {sdk.Value{}, false},
	} {
		if got := Small(c.value).Known(); got != c.known {
			t.Errorf("%s: known %t, want %t", name, got, c.known)
		}
	}
}

func TestFew(t *testing.T) {
	for entries, known := range map[int]bool{0: true, MaxEntries: true, MaxEntries + 1: false, 10_000: false} {
		list := sdk.Parse("[" + strings.TrimSuffix(strings.Repeat(`{"address":"10.0.0.1"},`, entries), ",") + "]")
		if got := Few(list).Known(); got != known {
			t.Errorf("%d entries: known %t, want %t", entries, got, known)
		}
	}
}

// What is too long is not read, however many bytes of escapes it takes.
func TestLongValuesAreAbsent(t *testing.T) {
	for length, known := range map[int]bool{maxValue: true, maxValue + 1: false, 4 * maxList: false} {
		payload := `{"field":"` + strings.Repeat("x", length) + `"}`
		send(t, "x.update", "INFO", payload, func(e *Event) {
			if e.Get(field).Known() != known || e.Field("/payload/field").Known() != known {
				t.Errorf("%d bytes: known %t and %t, want %t", length, e.Get(field).Known(), e.Field("/payload/field").Known(), known)
			}
			if got := e.GetList(field).Known(); got != (length <= maxList) {
				t.Errorf("%d bytes, as a list: known %t", length, got)
			}
		})
	}
}

// A message never has more than the router allows, whatever its columns have.
func TestColumnsFitTheMessage(t *testing.T) {
	worst := sdk.StringValue(strings.Repeat("\x01", maxColumn))
	a, _ := send(t, "x.update", "INFO", `{}`, func(e *Event) {
		m := Message{Topic: "x", Kind: "x", Action: Update, ID: strings.Repeat("\x01", maxName), Name: sdk.StringValue(strings.Repeat("\x01", maxName))}
		d := Begin(e, &m)
		for i := range 100 {
			d.Data.Value(fmt.Sprint("column", i), worst)
		}
		d.Data.Value("short", sdk.StringValue("is told"))
		d.ToProject()
	})
	if len(a.Emissions) != 1 {
		t.Fatalf("%d emissions", len(a.Emissions))
	}
	if got := string(a.Emissions[0].Payload); len(got) > 64<<10 || len(got) < 32<<10 || !strings.Contains(got, "is told") {
		t.Errorf("the message has %d bytes", len(got))
	}
}

// All messages of an event have no more than the router allows, and become brief
// long before.
func TestMessagesFitTheEvent(t *testing.T) {
	a, _ := send(t, "x.update", "INFO", `{}`, func(e *Event) {
		for range 64 {
			m := Message{Topic: "x", Kind: "x", Action: Update, ID: "i"}
			d := Begin(e, &m)
			for i := range 4 {
				d.Data.Value(fmt.Sprint("column", i), sdk.StringValue(strings.Repeat("x", maxColumn)))
			}
			d.ToProject()
			if e.Brief() != (e.emitted > maxDetail) {
				t.Errorf("brief %t after %d bytes", e.Brief(), e.emitted)
			}
		}
	})
	total := 0
	for _, e := range a.Emissions {
		total += len(e.Payload)
	}
	if total > maxEvent || len(a.Emissions) < 20 {
		t.Errorf("%d emissions of %d bytes", len(a.Emissions), total)
	}
}
