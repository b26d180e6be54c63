package sdk_test

import (
	"encoding/json"
	"math"
	"slices"
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
		}, `{"s":"x","i":"-9223372036854775808","f":1e+300,"t":true,"b":false,"n":null,"e":null}`},
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

// A member that is written again takes the place of the one before, wherever that
// stands and whatever it is.
func TestNoMemberIsWrittenTwice(t *testing.T) {
	var j sdk.JSON
	o := j.Object()
	o.Int("a", 1)
	o.String("long name with a \" quote", "x")
	inner := o.Object("in")
	inner.Null("a")
	inner.String("a", "again")
	o.String("b", "of \n it")
	o.Int("a", 2)
	o.String("long name with a \" quote", "y")
	o.Object("in").Int("a", 3)
	o.Array("b").Object().Bool("a", true)
	o.Int("", 1)
	if text := o.Text(); text != `{"a":2,"long name with a \" quote":"y","in":{"a":3},"b":[{"a":true}],"":1}` {
		t.Fatal(text)
	}
	o.Int("", 2)
	o.Value("v", sdk.Parse(`{"a": 1, "b": 2, "\u0061": 3}`))
	if text := o.Text(); text != `{"a":2,"long name with a \" quote":"y","in":{"a":3},"b":[{"a":true}],"":2,"v":{"b":2,"a":3}}` {
		t.Error(text)
	}
}

// FuzzMembers holds an object to a model: names and values in the order in which they
// were written last.
func FuzzMembers(f *testing.F) {
	f.Add("a\nb\na\nabcdefgh\nabcdefgh\nabcdefg\n\n\n\"")
	f.Fuzz(func(t *testing.T, names string) {
		if len(names) > 1000 {
			return
		}
		var j sdk.JSON
		o := j.Object()
		last := make(map[string]int)
		var order []string
		for i, name := range strings.Split(names, "\n") {
			name = strings.ToValidUTF8(name, "\uFFFD")
			if i%3 == 0 {
				o.Object(name).Int("a", int64(i))
			} else {
				o.Int(name, int64(i))
			}
			order = slices.DeleteFunc(order, func(s string) bool { return s == name })
			order, last[name] = append(order, name), i
		}
		v := sdk.Parse(o.Text())
		var got []string
		for it := v.Items(); it.Next(); {
			got = append(got, it.Key())
			value := it.Value()
			if it.Value().Kind() == sdk.KindObject {
				value = value.Member("a")
			}
			if n, ok := value.Int(); !ok || int(n) != last[it.Key()] {
				t.Fatalf("%q is %d in %s, not %d", it.Key(), n, v.Literal(), last[it.Key()])
			}
		}
		if !slices.Equal(got, order) {
			t.Fatalf("%s has not the members %q", v.Literal(), order)
		}
	})
}

// Numbers that JavaScript changes are strings.
func TestNumbersThatBrowsersChangeAreStrings(t *testing.T) {
	var j sdk.JSON
	a := j.Array()
	a.Int(1 << 53)
	a.Int(1<<53 + 1)
	a.Int(-1 << 53)
	a.Int(-1<<53 - 1)
	for _, number := range []string{"1e400", "1E-400", "12345678901234567890.5", "9007199254740991", "90071992547409930", "0.12345678901234567890"} {
		a.Raw(number)
	}
	a.Object().Raw("n", "12345678901234567890")
	want := `[9007199254740992,"9007199254740993",-9007199254740992,"-9007199254740993",` +
		`"1e400",1E-400,12345678901234567890.5,9007199254740991,"90071992547409930",0.12345678901234567890,{"n":"12345678901234567890"}]`
	if text := a.Text(); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
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
