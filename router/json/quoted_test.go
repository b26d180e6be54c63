package json

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// quote writes text as the inside of a JSON string, as json.dumps does.
func quote(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

// plainSample is sample without its one escape.
func plainSample() string { return strings.ReplaceAll(string(sample()), `\u00fc`, "u") }

func TestParseQuoted(t *testing.T) {
	long := strings.Repeat("a name that is longer than what is copied at once, ", 3)
	for _, text := range []string{
		`{}`, `[]`, `{"a": "b"}`, `{"": ""}`, `{"a": [], "b": {}, "c": [{}, [], "d", 1]}`,
		`{"a":-1.5e3,"b":[true,false,null],"c":{"d":0}}`, `{"a": 1, "a": 2, "a": "3"}`,
		` { "a" :  [ 1 , 2 ] } `, `{"` + long + `": "` + long + `"}`, `[1, 2]`, nested(MaxDepth), plainSample(),
		`[` + strings.Repeat("1,", MaxNodes-2) + `1]`,
	} {
		checkQuoted(t, quote(text)+`"}`, `"}`)
	}
}

func TestParseQuotedIsNotForEverything(t *testing.T) {
	for name, quoted := range map[string]string{
		"empty": ``, "no object": `x`, "a string in raw quotes": `"\\"`, "a raw quote": `{"a": 1}`, "a raw quote in a string": `{\"a": 1, \"b\": 2}`,
		"a raw quote and a stray backslash": `{\"a"\": \"b\\": 1}`, "an escape in a string": `{\"a\": \"b\\n\"}`,
		"a tab": "{\\\"a\\\":\t1}", "a control character": "{\\\"a\\\": \"b\tc\\\"}", "a line break": "{\\\"a\\\": \\\"b\nc\\\"}", "no ASCII": `{\"a\": \"é\"}`, "a comma before the end": `{\"a\": 1, }`, "no colon": `{\"a\" 1}`, "no key": `{1: 2}`,
		"crossed": `[{]}`, "truncated": `{\"a\": [1, 2`, "truncated string": `{\"a\": \"b`, "truncated escape": `{\"a\": \"b\`,
		"truncated key": `{\"`, "backslash at the end": `{\`, "a bad number": `{\"a\": 01}`, "a bad word": `[nul]`,
		"NaN": `{\"a\": NaN}`, "too deep": nested(MaxDepth + 1), "too many": `[` + strings.Repeat("1,", MaxNodes-1) + `1]`,
	} {
		var d Document
		if end, ok := d.ParseQuoted([]byte(quoted)); ok || end != 0 || d.Root().Kind() != Absent {
			t.Errorf("%s: %d, %s", name, end, d.Raw())
		}
	}
}

// checkQuoted wants of ParseQuoted what Parse makes of the text without its escapes,
// but for white space.
func checkQuoted(t *testing.T, quoted, rest string) {
	t.Helper()
	var got, want Document
	// What another one has left must not be taken for this one's.
	if err := got.Parse([]byte(`{"\u0061":"\u0062","c":["\u0064",{"\u0065":1}]}`)); err != nil {
		t.Fatal(err)
	}
	end, ok := got.ParseQuoted([]byte(quoted))
	if !ok || quoted[end:] != rest {
		t.Fatalf("%s: %q is left, %v", quoted, quoted[end:], ok)
	}
	quoted = quoted[:len(quoted)-len(rest)]
	if len(got.Raw()) != len(quoted) {
		t.Fatalf("%s: has become %s", quoted, got.Raw())
	}
	var text string
	if err := json.Unmarshal([]byte(`"`+quoted+`"`), &text); err != nil {
		t.Fatalf("%s: %v", quoted, err)
	}
	if err := want.Parse([]byte(text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(got.nodes) != len(want.nodes) {
		t.Fatalf("%s: %d values, want %d", text, len(got.nodes), len(want.nodes))
	}
	for i := range want.nodes {
		checkNode(t, &got, &want, uint32(i))
	}
}

func checkNode(t *testing.T, got, want *Document, i uint32) {
	t.Helper()
	a, b := got.nodes[i], want.nodes[i]
	if key := got.key(&a, 0); string(key) != string(want.key(&b, 0)) {
		t.Fatalf("%s: value %d has the key %s", want.text, i, key)
	}
	v, w := Value{got, i}, Value{want, i}
	if v.Kind() == Object || v.Kind() == Array {
		var one, other bytes.Buffer
		if json.Compact(&one, v.Raw()) != nil || json.Compact(&other, w.Raw()) != nil || one.String() != other.String() {
			t.Fatalf("%s: value %d is %s", want.text, i, v.Raw())
		}
	} else if string(v.Raw()) != string(w.Raw()) {
		t.Fatalf("%s: value %d is %s", want.text, i, v.Raw())
	}
	for j := i + 1; w.Kind() == Object && j < b.next; j = want.nodes[j].next {
		key := string(want.key(&want.nodes[j], 0))
		if x, y := v.Member(key), w.Member(key); x.i != y.i {
			t.Fatalf("%s: member %q of value %d is value %d, want %d", want.text, key, i, x.i, y.i)
		}
	}
	a.start, a.end, a.key, a.keyEnd = b.start, b.end, b.key, b.keyEnd
	if a != b {
		t.Fatalf("%s: value %d: %+v, want %+v", want.text, i, a, b)
	}
}

func FuzzParseQuoted(f *testing.F) {
	f.Add([]byte(quote(plainSample()) + `"}`))
	f.Add([]byte(`{\"a\": [1, -2.5e3, null, {\"b\": true}], \"a\": \"\"}" `))
	f.Add([]byte(`{\"a"\": \"b\\": 1}"`))
	f.Fuzz(func(t *testing.T, quoted []byte) {
		var d Document
		if end, ok := d.ParseQuoted(bytes.Clone(quoted)); ok && len(quoted) <= 1<<12 {
			checkQuoted(t, string(quoted), string(quoted[end:]))
		}
	})
}
