package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func pointer(t testing.TB, s string) Pointer {
	t.Helper()
	p, err := ParsePointer(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestParseRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"empty":                  {"", ErrSyntax},
		"white space only":       {" \n\t", ErrSyntax},
		"two values":             {"1 2", ErrSyntax},
		"byte order mark":        {"\ufeff1", ErrSyntax},
		"truncated object":       {`{"a":1`, ErrSyntax},
		"truncated key":          {`{"a`, ErrSyntax},
		"truncated member":       {`{"a":`, ErrSyntax},
		"truncated array":        {`[1,`, ErrSyntax},
		"truncated string":       {`"abc`, ErrSyntax},
		"truncated escape":       {`"abc\`, ErrSyntax},
		"truncated unicode":      {`"\u12`, ErrSyntax},
		"comma before the end":   {`[1,]`, ErrSyntax},
		"comma after the brace":  {`{,}`, ErrSyntax},
		"comma before the brace": {`{"a":1,}`, ErrSyntax},
		"only a comma":           {`[,]`, ErrSyntax},
		"mixed brackets":         {`[}`, ErrSyntax},
		"crossed brackets":       {`[{]}`, ErrSyntax},
		"closed twice":           {`[]]`, ErrSyntax},
		"key is a number":        {`{1:1}`, ErrSyntax},
		"key without a value":    {`{"a"}`, ErrSyntax},
		"no colon":               {`{"a" 1}`, ErrSyntax},
		"member in an array":     {`["a":1]`, ErrSyntax},
		"single quotes":          {`{'a':1}`, ErrSyntax},
		"control character":      {"\"a\x01\"", ErrSyntax},
		"raw tab in a string":    {"\"abcdefghi\tj\"", ErrSyntax},
		"unknown escape":         {`"\x41"`, ErrSyntax},
		"bad hex":                {`"\u12g4"`, ErrSyntax},
		"leading zero":           {`01`, ErrSyntax},
		"plus":                   {`+1`, ErrSyntax},
		"no digit":               {`-`, ErrSyntax},
		"no fraction":            {`1.`, ErrSyntax},
		"no exponent":            {`1e`, ErrSyntax},
		"signed nothing":         {`1e+`, ErrSyntax},
		"signed NaN":             {`-NaN`, ErrSyntax},
		"NaN for short":          {`Na`, ErrSyntax},
		"infinity, positive":     {`+Infinity`, ErrSyntax},
		"hex number":             {`0x1`, ErrSyntax},
		"cut literal":            {`tru`, ErrSyntax},
		"long literal":           {`nulls`, ErrSyntax},
		"comment":                {`[1/**/]`, ErrSyntax},
		"form feed":              {"[1,\f2]", ErrSyntax},
		"lone continuation":      {"\"\x80\"", ErrUTF8},
		"overlong":               {"\"\xc0\xaf\"", ErrUTF8},
		"raw surrogate":          {"\"\xed\xa0\x80\"", ErrUTF8},
		"latin 1":                {"{\"n\xe4me\":1}", ErrUTF8},
		"too deep":               {nested(MaxDepth + 1), ErrTooDeep},
		"much too deep":          {strings.Repeat("[", 1<<20), ErrTooDeep},
	} {
		t.Run(name, func(t *testing.T) {
			var d Document
			if err := d.Parse([]byte(tc.text)); !errors.Is(err, tc.want) {
				t.Errorf("Parse: %v, want %v", err, tc.want)
			}
			if d.Root().Kind() != Absent || d.Raw() != nil {
				t.Error("a refused text is still there")
			}
			if err := checkLine([]byte(tc.text)); !errors.Is(err, tc.want) {
				t.Errorf("LineChecker: %v, want %v", err, tc.want)
			}
		})
	}
	var d Document
	many := "[" + strings.Repeat("0,", MaxNodes) + "0]"
	if err := d.Parse([]byte(many)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%d values: %v", MaxNodes+2, err)
	}
	if err := d.Parse([]byte(nested(MaxDepth))); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
}

func TestGet(t *testing.T) {
	const text = ` {"s":"pl\u0061in","e":"","u":"a\n\ud83d\ude00\ud800x\udc00","n":-1.5e+3,"t":true,"f":false,"z":null,
		"nova_object.data":{"uuid":"1","a/b":2,"m~n":3,"":4}, "list":[10,[20],{"k":30}], "empty":{}, "none":[],
		"esc\u0061ped":5, "twice":1, "twice":2, "long key of more than sixteen bytes":6, "ü":7} `
	var d Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		pointer string
		kind    Kind
		text    string
	}{
		{"/s", String, "plain"},
		{"/e", String, ""},
		{"/u", String, "a\n😀\ufffdx\ufffd"},
		{"/n", Number, "-1.5e+3"},
		{"/t", True, ""},
		{"/f", False, ""},
		{"/z", Null, ""},
		{"/nova_object.data/uuid", String, "1"},
		{"/nova_object.data/a~1b", Number, "2"},
		{"/nova_object.data/m~0n", Number, "3"},
		{"/nova_object.data/", Number, "4"},
		{"/list", Array, `[10,[20],{"k":30}]`},
		{"/list/0", Number, "10"},
		{"/list/1/0", Number, "20"},
		{"/list/2/k", Number, "30"},
		{"/list/3", Absent, ""},
		{"/list/-", Absent, ""},
		{"/list/00", Absent, ""},
		{"/list/k", Absent, ""},
		{"/empty", Object, "{}"},
		{"/empty/a", Absent, ""},
		{"/none", Array, "[]"},
		{"/none/0", Absent, ""},
		{"/s/0", Absent, ""},
		{"/escaped", Number, "5"},
		{"/twice", Number, "2"},
		{"/long key of more than sixteen bytes", Number, "6"},
		{"/long key of more than sixteen byteS", Absent, ""},
		{"/ü", Number, "7"},
		{"/nothing/at/all", Absent, ""},
	} {
		v := d.Get(pointer(t, tc.pointer))
		got := string(v.AppendTo([]byte("> ")))
		if v.Kind() != tc.kind || got != "> "+tc.text {
			t.Errorf("%s: kind %d %q, want %d %q", tc.pointer, v.Kind(), got, tc.kind, tc.text)
		}
		if v.Size() < len(tc.text) {
			t.Errorf("%s: size %d for %q", tc.pointer, v.Size(), tc.text)
		}
		if want := map[bool]string{true: tc.text}[tc.kind == String]; v.Text() != want {
			t.Errorf("%s: text %q, want %q", tc.pointer, v.Text(), want)
		}
	}
	if root := d.Get(Pointer{}); root.Kind() != Object || string(root.Raw()) != strings.TrimSpace(text) {
		t.Errorf("the empty pointer gives %s", root.Raw())
	}
}

func TestContainersComeWithoutWhiteSpace(t *testing.T) {
	const text = ` { "a b" : [ 1 , { } , [ ] , "c , d" , { "e\u0066" : null , "x" : [ 1 , 2 ] , "y" : "" , "x" : 12 } ] } `
	const want = `{"a b":[1,{},[],"c , d",{"e\u0066":null,"y":"","x":0}]}`
	var d Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	d.Redact(func(key []byte, _ uint32) bool { return string(key) == "x" }, func([]byte, Value) int { return -1 })
	if got := d.Root().AppendTo(nil); string(got) != want || d.Root().Size() != len(want) {
		t.Errorf("%d bytes: %s\nwant %s", d.Root().Size(), got, want)
	}
	if got := d.Get(pointer(t, "/a b/4")).AppendTo(nil); string(got) != `{"e\u0066":null,"y":"","x":0}` {
		t.Errorf("got %s", got)
	}
}

// Python writes floats that JSON has no word for.
func TestNaNIsNull(t *testing.T) {
	for text, want := range map[string]string{
		`NaN`: `null`,
		`[NaN,Infinity,-Infinity,null,"NaN",{"Infinity":NaN}]`: `[null,null,null,null,"NaN",{"Infinity":null}]`,
		`{"ratio": NaN, "more": [-Infinity, 1]}`:               `{"ratio": null, "more": [null, 1]}`,
	} {
		var d Document
		if err := d.Parse([]byte(text)); err != nil || string(d.Raw()) != want {
			t.Errorf("%s has become %s: %v", text, d.Raw(), err)
		}
		if err := checkLine([]byte(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("LineChecker, %s: %v", text, err)
		}
	}
}

// A reader hands out exactly Size bytes of memory that is not its own: what is
// behind them stays.
func TestAppendToStaysWithinSize(t *testing.T) {
	var d Document
	if err := d.Parse([]byte(`{"s":"0123\n567\u00e9 89abcdef\ttail of it"}`)); err != nil {
		t.Fatal(err)
	}
	v := d.Get(pointer(t, "/s"))
	memory := bytes.Repeat([]byte{0xee}, v.Size()+32)
	got := v.AppendTo(memory[8:8])
	if want := "0123\n567é 89abcdef\ttail of it"; string(got) != want || &got[0] != &memory[8] {
		t.Errorf("got %q, want %q in place", got, want)
	}
	for i, b := range memory {
		if (i < 8 || i >= 8+v.Size()) && b != 0xee {
			t.Fatalf("byte %d was written", i)
		}
	}
}

func TestRedact(t *testing.T) {
	const text = `{"keep":1,"x":"secret","auth\u005ftoken":"abc","o":{"x":{"deep":[1,2]},"y":2},"l":["bad",{"x":7},"half bad","half b","half\n\ud83d\ude00\u00fcbad"],"short":{"x":""},"n":{"x":12},"x":"again"}`
	var d Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	d.Redact(func(key []byte, hash uint32) bool {
		if hash != hashKey(key) {
			t.Errorf("%s has another hash", key)
		}
		return string(key) == "x" || string(key) == "auth_token"
	}, func(text []byte, v Value) int {
		if string(text) != v.Text() {
			t.Errorf("%s is %s", text, v.Text())
		}
		return bytes.IndexByte(text, 'b')
	})
	const want = `{"keep":1,"x":null    ,"auth\u005ftoken":null ,"o":{"x":null          ,"y":2},"l":[null ,{"x":0},"half ***","half *","half\n\ud83d\ude00\u00fc***"],"short":{"x":""},"n":{"x":0 },"x":null   }`
	if string(d.Raw()) != want {
		t.Errorf("got  %s\nwant %s", d.Raw(), want)
	}
	if !json.Valid(d.Raw()) {
		t.Error("no longer JSON")
	}
	for _, p := range []string{"/x", "/auth_token", "/o/x", "/o/x/deep", "/o/x/deep/0", "/l/0", "/l/1/x", "/short/x", "/n/x"} {
		if v := d.Get(pointer(t, p)); v.Kind() != Absent || v.Raw() != nil || v.Text() != "" {
			t.Errorf("%s is still there: %s", p, v.Raw())
		}
	}
	for _, p := range []string{"/keep", "/o/y", "/l/1"} {
		if d.Get(pointer(t, p)).Kind() == Absent {
			t.Errorf("%s is gone", p)
		}
	}
}

func TestEscapes(t *testing.T) {
	for text, want := range map[string]string{
		`""`:                            "",
		`"plain"`:                       "plain",
		`"{\"a\": \"\\u2603 b\"}"`:      `{"a": "\u2603 b"}`,
		`"\ud83d\ude00\ud83dx\/\b\f\r"`: "😀\ufffdx/\b\f\r",
		`"\ud83d\u0041"`:                "\ufffdA",
	} {
		var d Document
		if err := d.Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := d.Root().AppendTo([]byte("> ")); string(got) != "> "+want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestResetGivesAHugeIndexBack(t *testing.T) {
	var d Document
	if err := d.Parse([]byte("[" + strings.Repeat("0,", keepNodes) + `"` + strings.Repeat("x", 1<<18) + `"]`)); err != nil {
		t.Fatal(err)
	}
	d.Reset()
	if d.Raw() != nil || d.Root().Kind() != Absent || cap(d.nodes) > keepNodes || cap(d.members.table) > 2*keepNodes {
		t.Errorf("kept %d nodes and a table of %d places", cap(d.nodes), cap(d.members.table))
	}
}

// sample has the shape of a legacy nova notification, at its usual size.
func sample() []byte {
	var b bytes.Buffer
	b.WriteString(`{"message_id": "85b01657-0aba-45b3-87d8-ed8d332efbf9", "event_type": "compute.instance.update", "payload": {`)
	for i := range 60 {
		fmt.Fprintf(&b, `"member_name_%d": "value of it %d", `, i, i)
	}
	b.WriteString(`"nested": {"a": [1, 2.5, true, null, {"b": "\u00fc"}]}, "uuid": "46b4df54-8f4e-4d29-a8f5-6bdb479b322b"}`)
	for i := range 25 {
		fmt.Fprintf(&b, `, "_context_member_%d": null`, i)
	}
	b.WriteString("}")
	return b.Bytes()
}

func TestNoAllocation(t *testing.T) {
	text := sample()
	uuid, deep := pointer(t, "/payload/uuid"), pointer(t, "/payload/nested/a/4/b")
	var d Document
	buffer := make([]byte, 0, 64)
	work := func() {
		if err := d.Parse(text); err != nil {
			t.Fatal(err)
		}
		buffer = d.Get(uuid).AppendTo(buffer[:0])
		buffer = d.Get(deep).AppendTo(buffer[:0])
		d.Redact(func([]byte, uint32) bool { return false }, func([]byte, Value) int { return -1 })
	}
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("parse, get, redact: %v allocations", n)
	}
	if string(buffer) != "ü" {
		t.Errorf("read %q", buffer)
	}
	check := checkAnew()
	if n := testing.AllocsPerRun(100, func() {
		if !check(text) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("LineChecker: %v allocations", n)
	}
}

// Of a member that is there twice, the last one counts, also in the text of what it
// is in.
func TestTheLastOfSeveralMembersCounts(t *testing.T) {
	var d Document
	for text, want := range map[string]string{
		`{"a": 1, "b": {"c": [], "c": {"d": 2}}, "\u0061": 3}`: `{"b":{"c":{"d":2}},"\u0061":3}`,
		`[{"a": 1, "a": 1}, {"a": 2}, {}]`:                     `[{"a":1},{"a":2},{}]`,
		`{"a": {"b": 1}, "b": {"a": 1}}`:                       `{"a":{"b":1},"b":{"a":1}}`,
	} {
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := string(d.Root().AppendTo(nil)); got != want || d.Root().Size() != len(want) {
			t.Errorf("%s is %s of %d bytes", text, got, d.Root().Size())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,"\ud83d\ude00\ud800",null,{"b":true}]}`, `"\\\"\/\b\f\n\r\t"`, ` [ ] `, `{"a":1,"a":2}`, "[\"\xff\"]", nested(65)} {
		f.Add([]byte(seed))
	}
	f.Add(sample())
	f.Add([]byte(`{"a":NaN,"b":[NaN,Infinity,-Infinity,"NaN"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Document
		err := d.Parse(text)
		bounded := errors.Is(err, ErrTooDeep) || errors.Is(err, ErrTooLarge)
		valid := json.Valid(text) && utf8.Valid(text)
		compact := checkLine(text)
		if want := valid && !bytes.ContainsAny(text, "\r\n"); want != (compact == nil) && !bounded && !errors.Is(compact, ErrAmbiguous) {
			t.Fatalf("LineChecker: %v, encoding/json and unicode/utf8 say %v", compact, valid)
		}
		if err == nil && !valid && (bytes.Contains(text, []byte("NaN")) || bytes.Contains(text, []byte("Infinity"))) {
			text = d.Raw()
			valid = json.Valid(text)
		}
		if valid != (err == nil) && !bounded {
			t.Fatalf("Parse: %v, encoding/json and unicode/utf8 say %v", err, valid)
		}
		if err != nil {
			return
		}
		if len(text) > 1<<12 {
			return // comparing takes the square of it
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := decoded(d.Root()); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
		d.Redact(func([]byte, uint32) bool { return false }, func([]byte, Value) int { return 0 })
		if !json.Valid(d.Raw()) {
			t.Fatalf("no longer JSON once redacted: %s", d.Raw())
		}
	})
}

// decoded is what encoding/json would make of v.
func decoded(v Value) any {
	switch v.Kind() {
	case False, True:
		return v.Kind() == True
	case Number:
		return json.Number(v.Raw())
	case String:
		return v.Text()
	case Array:
		list := []any{}
		for e := range v.Elements() {
			list = append(list, decoded(e))
		}
		return list
	case Object:
		object := map[string]any{}
		nodes := v.d.nodes
		for i := v.i + 1; i < nodes[v.i].next; i = nodes[i].next {
			key := string(v.d.key(&nodes[i], 0))
			object[key] = decoded(v.Member(key))
		}
		return object
	}
	return nil
}

func BenchmarkParse(b *testing.B) {
	text := sample()
	b.Run("Document", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		var d Document
		for b.Loop() {
			if err := d.Parse(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	b.ReportAllocs()
	var d Document
	if err := d.Parse(sample()); err != nil {
		b.Fatal(err)
	}
	p := pointer(b, "/payload/uuid")
	for b.Loop() {
		if d.Get(p).Kind() != String {
			b.Fatal("lost")
		}
	}
}

func BenchmarkLineChecker(b *testing.B) {
	text := sample()
	for name, valid := range map[string]func([]byte) bool{
		"LineChecker":   checkAnew(),
		"encoding-json": json.Valid,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if !valid(text) {
					b.Fatal("refused")
				}
			}
		})
	}
}
