package sdk_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"horizon-realtime/sdk"
)

// plain makes of a value what encoding/json would.
func plain(v sdk.Value) any {
	switch v.Kind() {
	case sdk.KindFalse, sdk.KindTrue:
		b, _ := v.Bool()
		return b
	case sdk.KindNumber:
		f, _ := v.Float()
		return f
	case sdk.KindString:
		return v.Text()
	case sdk.KindObject:
		m := map[string]any{}
		for it := v.Items(); it.Next(); {
			m[it.Key()] = plain(it.Value())
		}
		return m
	case sdk.KindArray:
		list := []any{}
		for it := v.Items(); it.Next(); {
			list = append(list, plain(it.Value()))
		}
		return list
	}
	return nil
}

// FuzzParse: valid JSON reads as encoding/json reads it; anything else is read
// without harm, and what is made of it is valid.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`null`, ` true `, `-0.5e+10`, `"\u00e9\ud83d\ude00\ud800x\"\\\/\b\f\n\r\t"`, `{"a":{"b":[1,2,{"c":"]}"}]},"a2":"\\"}`,
		`[[],{},"",0]`, `{`, `[1,`, `"\u12"`, `{"a"1}`, `[1 2]`, `01`, `nul`, `{"a":}`, `["\ud800\ud800"]`, `[1,]`, `{"a":1,}`, `-`, `1.`, `1e`,
	} {
		f.Add(s)
	}
	var j sdk.JSON
	f.Fuzz(func(t *testing.T, s string) {
		v := sdk.Parse(s)
		got := plain(v)
		a := j.Array()
		a.Value(v)
		if text := a.Text(); !json.Valid([]byte(text)) {
			t.Fatalf("%q is passed on as %q", s, text)
		}
		var want any
		if json.Unmarshal([]byte(s), &want) != nil || !utf8.ValidString(s) { // encoding/json repairs UTF-8, the builder does so here
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, want %#v", s, got, want)
		}
	})
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]struct {
		n  int64
		ok bool
	}{
		`0`: {0, true}, `-7`: {-7, true}, `9223372036854775807`: {9223372036854775807, true},
		`9223372036854775808`: {0, false}, `-9223372036854775808`: {-9223372036854775808, true}, `-9223372036854775809`: {0, false},
		`99999999999999999999`: {0, false}, `-`: {0, false}, `1e3`: {0, false}, `1.5`: {0, false}, `"1"`: {0, false}, `null`: {0, false},
	} {
		if n, ok := sdk.Parse(text).Int(); n != want.n || ok != want.ok {
			t.Errorf("%s: got %d, %t", text, n, ok)
		}
	}
	if f, ok := sdk.Parse(`1.5e1`).Float(); f != 15 || !ok {
		t.Errorf("got %v, %t", f, ok)
	}
	if f, ok := sdk.Parse(`true`).Float(); f != 0 || ok {
		t.Errorf("got %v, %t", f, ok)
	}
}

func TestMember(t *testing.T) {
	v := sdk.Parse(`{"a":{"b":"first","b":"last"},"c\u0064":null,"list":[1]}`)
	if got := v.Member("a").Member("b").Text(); got != "last" {
		t.Errorf("got %q", got)
	}
	if v.Member("cd").Kind() != sdk.KindNull || v.Member("cd").Known() {
		t.Error("a member that is null is there, and unknown")
	}
	for _, gone := range []sdk.Value{v.Member("x"), v.Member("list").Member("0"), v.Member("a").Member("b").Member("c"), sdk.Value{}.Member("a")} {
		if gone.Kind() != sdk.KindAbsent {
			t.Errorf("got kind %d", gone.Kind())
		}
	}
	if !v.Member("x").BoolOr(true) || sdk.Parse("false").BoolOr(true) {
		t.Error("BoolOr: a default is for what is absent")
	}
}
