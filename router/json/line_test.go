package json

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCheckLineLikeLooksAtTheRest(t *testing.T) {
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
			if err := CheckLineLike([]byte(c.text), []byte(c.accepted)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// FuzzCheckLineLike holds CheckLineLike to CheckLine, for texts that begin alike up to
// anywhere.
func FuzzCheckLineLike(f *testing.F) {
	f.Add([]byte(`{"v":1,"data":{"a":[{}],"b":null}}`), 32, []byte(`,"host":"cloud1"}}`))
	f.Add([]byte(`{"a":{ }}`), 7, []byte(`}`))
	f.Add([]byte(`{"a":1}`), 6, []byte(`2}`))
	f.Fuzz(func(t *testing.T, accepted []byte, cut int, rest []byte) {
		if CheckLine(accepted) != nil {
			return
		}
		text := slices.Concat(accepted[:max(0, cut)%(len(accepted)+1)], rest)
		like, whole := CheckLineLike(text, accepted), CheckLine(text)
		if (like == nil) != (whole == nil) {
			t.Fatalf("%q after %q: %v, CheckLine: %v", text, accepted, like, whole)
		}
	})
}
