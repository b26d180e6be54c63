package sdk_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"horizon-realtime/sdk"
)

func TestJSON(t *testing.T) {
	var j sdk.JSON
	for name, c := range map[string]struct {
		build func() string
		want  string
	}{
		"empty object": {func() string { return j.Object().Text() }, `{}`},
		"empty array":  {func() string { return j.Array().Text() }, `[]`},
		"members": {func() string {
			o := j.Object()
			o.String("s", "x")
			o.Int("i", math.MinInt64)
			o.Float("f", 1e300)
			o.Bool("t", true)
			o.Bool("b", false)
			o.Null("n")
			o.StringOrNull("e", "")
			return o.Text()
		}, `{"s":"x","i":-9223372036854775808,"f":1e+300,"t":true,"b":false,"n":null,"e":null}`},
		"no numbers": {func() string {
			a := j.Array()
			a.Float(math.NaN())
			a.Float(math.Inf(-1))
			a.Float(-0.5)
			return a.Text()
		}, `[null,null,-0.5]`},
		"containers close by themselves": {func() string {
			o := j.Object()
			o.Array("a").Object().Array("b").String("c")
			o.Object("d").Null("e")
			o.Null("f")
			return o.Text()
		}, `{"a":[{"b":["c"]}],"d":{"e":null},"f":null}`},
		"brackets in strings": {func() string {
			a := j.Array()
			a.String("{")
			a.String("[")
			a.Int(1)
			return a.Text()
		}, `["{","[",1]`},
		"text as often as wanted": {func() string {
			o := j.Object()
			in := o.Object("in")
			first := strings.Clone(o.Text())
			in.Int("n", 1)
			return first + o.Text()
		}, `{"in":{}}{"in":{"n":1}}`},
		"raw": {func() string {
			o := j.Object()
			o.Raw("ok", "{\n \"a\" : [1, \"\\u2603\\n\", {}],\r\n\t\"b\":null}")
			o.Raw("bad", `{"a":`)
			o.Raw("two", `1 2`)
			o.Raw("half", `{"a":1,"b"}`)
			return o.Text()
		}, `{"ok":{"a":[1,"☃\n",{}],"b":null},"bad":null,"two":null,"half":{"a":1}}`},
		"absent": {func() string {
			o := j.Object()
			o.Value("gone", sdk.Value{})
			o.Value("null", sdk.NullValue())
			o.Array("list").Value(sdk.Value{})
			return o.Text()
		}, `{"null":null,"list":[null]}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.build(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWritingToClosedJSONPanics(t *testing.T) {
	var j sdk.JSON
	for name, misuse := range map[string]func(){
		"a closed container": func() {
			o := j.Object()
			in := o.Object("in")
			o.Null("after")
			in.Null("late")
		},
		"a text that is over": func() {
			o := j.Object()
			j.Object()
			o.Null("late")
		},
		"a zero builder": func() { sdk.ObjectBuilder{}.Null("n") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != "sdk: writing to JSON that is closed already" {
					t.Errorf("panicked with %v", got)
				}
			}()
			misuse()
		})
	}
}

func TestDeepValuesEndInNull(t *testing.T) {
	var j sdk.JSON
	o := j.Object()
	o.Raw("deep", strings.Repeat("[", 100)+strings.Repeat("]", 100))
	if got, want := o.Text(), `{"deep":`+strings.Repeat("[", 63)+"null"+strings.Repeat("]", 63)+"}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzString: whatever is written, what is read back is it, with U+FFFD for what
// is no UTF-8.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "☃ é 😀", "\xff\xc3(\xed\xa0\x80", "\u2028\uFFFD"} {
		f.Add(s)
	}
	var j sdk.JSON
	f.Fuzz(func(t *testing.T, s string) {
		o := j.Object()
		o.String(s, s)
		text := o.Text()
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r") {
			t.Fatalf("%q is not one line of UTF-8", text)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(text), &back); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := strings.Map(func(r rune) rune { return r }, s) // each bad byte becomes U+FFFD
		if got, ok := back[want]; !ok || got != want {
			t.Fatalf("got %q, want %q", back, want)
		}
	})
}
