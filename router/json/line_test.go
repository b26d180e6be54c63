package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// checkLine checks a text on its own.
func checkLine(text []byte) error { return new(LineChecker).Check(text) }

// checkAnew makes a function that checks texts on their own, in the same memory.
func checkAnew() func(text []byte) bool {
	var c LineChecker
	return func(text []byte) bool {
		defer c.Reset()
		return c.Check(text) == nil
	}
}

func TestLineCheckerWantsWhatReadersTakeAlike(t *testing.T) {
	many := make([]string, 3*leastMembers)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d":[]`, i)
	}
	members := strings.Join(many, ",")
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":1,"b":[{"a":1},{"a":1}]}}`: "",
		`{"a":1,"b":2,"a":3}`:                       `the member "a" comes twice in an object, at byte 13`,
		`[{"b":1},{"ab":{"":0},"a\u0062":3}]`:       `the member "ab" comes twice in an object, at byte 22`,
		`{"\u00e9":{},"é":2}`:                       `the member "é" comes twice in an object, at byte 13`,
		"{" + members + "}":                         "",
		"{" + members + `,"0":1}`:                   fmt.Sprintf(`the member "0" comes twice in an object, at byte %d`, len(members)+2),
		`{"a\nb":1}`:                                `the name "a\nb" has control characters, at byte 1`,
		"{\"a\x7fb\":1}":                            `the name "a\x7fb" has control characters, at byte 1`,
		"{\"a\u0085b\":1}":                          `the name "a\u0085b" has control characters, at byte 1`,
		`{"©\u0026":"a\nb\u0007"}`:                  "",
		`"\ud83d\ude00\\ud800\ufffd\ud7ff"`:         "",
		`"a\ud83db"`:                                "half a surrogate pair, at byte 2",
		`["\ude00\ud83d"]`:                          "half a surrogate pair, at byte 2",
		`{"\ud83d\n":1}`:                            "half a surrogate pair, at byte 2",
		`[9007199254740992,-9007199254740992,0.12345678901234567890,1e308,1e-400,-12345678901234567.5]`: "",
		`[1,9007199254740993]`:                "the number 9007199254740993, which a browser changes, at byte 3; send it as a string",
		`{"a":-10000000000000000}`:            "the number -10000000000000000, which a browser changes, at byte 5; send it as a string",
		`1e309`:                               "the number 1e309, which a browser changes, at byte 0; send it as a string",
		`-1E999`:                              "the number -1E999, which a browser changes, at byte 0; send it as a string",
		"1" + strings.Repeat("0", 400) + ".5": "the number 1" + strings.Repeat("0", 39) + ", which a browser changes, at byte 0; send it as a string",
	} {
		err := checkLine([]byte(text))
		if want == "" {
			if err != nil {
				t.Errorf("%.100s: %v", text, err)
			}
			continue
		}
		if err == nil || !errors.Is(err, ErrAmbiguous) || err.Error() != ErrAmbiguous.Error()+": "+want {
			t.Errorf("%.100s: got  %v\nwant %s", text, err, want)
		}
	}
}

// A text that was refused, or forgotten, is not what the next one is compared with.
func TestLineCheckerForgets(t *testing.T) {
	var c LineChecker
	for i, step := range []struct {
		text string
		want error
	}{
		{`{"a":1}`, nil}, {`{"a":1,"b":2}`, nil}, {`{"a":1,"b":2,"a":3}`, ErrAmbiguous}, {`{"a":1,"b":2,"c":3}`, nil},
		{`{"a":1,"b":2,"c":3,"b":3}`, ErrAmbiguous}, {`{"a":1,"b"}`, ErrSyntax}, {`{"b":1}`, nil}, {`{"b":1,"b":1}`, ErrAmbiguous},
		{`{"a":{"b":1}}`, nil}, {`{"a":{"b":1,"a":2},"b":1}`, nil}, {`{"a":{"b":1,"a":2},"b":1,"a":3}`, ErrAmbiguous},
	} {
		if err := c.Check([]byte(step.text)); !errors.Is(err, step.want) {
			t.Errorf("%d: %s: %v", i, step.text, err)
		}
	}
	c.objects = 1<<31 + 1
	c.Reset()
	if err := c.Check([]byte(`{"a":1,"b":2}`)); err != nil || c.last == nil {
		t.Errorf("after many objects: %v", err)
	}
	if c.Reset(); c.last != nil {
		t.Error("a text is kept")
	}
}

func TestLineCheckerLooksAtTheRest(t *testing.T) {
	deep := strings.Repeat(`{"":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	for name, c := range map[string]struct {
		accepted, text string
		want           error
	}{
		"the same":                {`{"a":{"b":1}}`, `{"a":{"b":1}}`, nil},
		"members more":            {`{"a":{"b":1}}`, `{"a":{"b":1,"c":[{}]},"d":2}`, nil},
		"another text":            {`{"a":1}`, `[true]`, nil},
		"nothing before":          {``, `{"a":1}`, nil},
		"blanks":                  {`{"a":1 }`, `{"a":1 ,"b":2 } `, nil},
		"as deep as can be":       {deep, deep, nil},
		"an object filled":        {`{"a":{}}`, `{"a":{"b":1}}`, nil},
		"a comma first":           {`{"a":{}}`, `{"a":{,"b":1}}`, ErrSyntax},
		"a comma after a blank":   {`{"a":{ }}`, `{"a":{ ,"b":1}}`, ErrSyntax},
		"not closed":              {`{"a":{"b":1}}`, `{"a":{"b":1}`, ErrSyntax},
		"closed too often":        {`{"a":{"b":1}}`, `{"a":{"b":1}}}`, ErrSyntax},
		"closed as an array":      {`{"a":{"b":1}}`, `{"a":{"b":1]}`, ErrSyntax},
		"no comma":                {`{"a":1}`, `{"a":1"b":2}`, ErrSyntax},
		"no key":                  {`{"a":1}`, `{"a":1,2}`, ErrSyntax},
		"a longer number":         {`{"a":1}`, `{"a":12}`, nil},
		"a line break":            {`{"a":1}`, "{\"a\":1,\n\"b\":2}", ErrSyntax},
		"not UTF-8":               {`{"a":1}`, "{\"a\":1,\"b\":\"\xff\"}", ErrUTF8},
		"too deep":                {deep, deep[:len(deep)-MaxDepth] + `,"a":{}` + deep[len(deep)-MaxDepth:], ErrTooDeep},
		"braces that are in text": {`"}}"`, `"}}",1}`, ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			var l LineChecker
			if err := l.Check([]byte(c.accepted)); err != nil && c.accepted != "" {
				t.Fatal(err)
			}
			if err := l.Check([]byte(c.text)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// FuzzLineChecker holds a checker that has seen another text to one that has not,
// for texts that begin alike up to anywhere, and both to what encoding/json reads.
func FuzzLineChecker(f *testing.F) {
	f.Add([]byte(`{"v":1,"data":{"a":[{}],"b":null}}`), 32, []byte(`,"host":"cloud1"}}`))
	f.Add([]byte(`{"a":{ }}`), 7, []byte(`}`))
	f.Add([]byte(`{"a":1}`), 6, []byte(`2}`))
	f.Add([]byte(`{"a":1,"b":{"c":[{}]}}`), 20, []byte(`,"c":1,"\u0063":12345678901234567890}}`))
	f.Fuzz(func(t *testing.T, accepted []byte, cut int, rest []byte) {
		var c LineChecker
		if c.Check(accepted) != nil {
			return
		}
		text := slices.Concat(accepted[:max(0, cut)%(len(accepted)+1)], rest)
		like, whole := c.Check(text), checkLine(text)
		if (like == nil) != (whole == nil) {
			t.Fatalf("%q after %q: %v, on its own: %v", text, accepted, like, whole)
		}
		if whole == nil && !unambiguous(json.NewDecoder(bytes.NewReader(text))) {
			t.Fatalf("%q is ambiguous", text)
		}
	})
}

// unambiguous reports whether the value that d reads next has no name twice, and none
// with control characters.
func unambiguous(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('['):
		for d.More() {
			if !unambiguous(d) {
				return false
			}
		}
		_, err = d.Token()
	case json.Delim('{'):
		names := make(map[string]bool)
		for d.More() {
			token, _ := d.Token()
			name, ok := token.(string)
			if !ok || names[name] || strings.ContainsFunc(name, unicode.IsControl) || !unambiguous(d) {
				return false
			}
			names[name] = true
		}
		_, err = d.Token()
	}
	return err == nil
}
