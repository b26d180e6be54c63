package json

import (
	"strconv"
	"strings"
	"testing"
)

// FuzzGetAll holds GetAll to Get, for all containers of a text.
func FuzzGetAll(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[2,{"a":3}],"c":{"d":null},"a":4,"\u0065":"x","f":{"f":{}},"g":"secret","h":true}`), "/a /b /c /d /e /f /g /h /0 /1")
	f.Add([]byte(`[{"a":1},[[]]]`), "/0 /1 /2 /a /b /- ")
	f.Add([]byte(`{"a":1}`), "/a /a /a /a /a")
	f.Fuzz(func(t *testing.T, text []byte, wanted string) {
		var d Document
		if d.Parse(text) != nil {
			return
		}
		d.Redact(func(key []byte, _ uint32) bool { return string(key) == "g" }, func([]byte, Value) bool { return false })
		var s Siblings
		var pointers []Pointer
		for text := range strings.FieldsSeq(wanted) {
			p, err := ParsePointer(text)
			if err != nil || len(p.segments) > 1 || len(pointers) == MaxSiblings {
				continue
			}
			pointers = append(pointers, p)
			s.Add(p)
		}
		for i := range d.nodes {
			v := Value{&d, uint32(i)}
			found := make([]Value, len(pointers))
			for k := range found {
				found[k] = v // what was there before
			}
			v.GetAll(&s, found)
			for k, p := range pointers {
				if want := v.Get(p); found[k] != want {
					t.Fatalf("%s of %s: %q, want %q", p, v.Raw(), found[k].Raw(), want.Raw())
				}
			}
		}
	})
}

func TestGetAllOfAsManyAsThereCanBe(t *testing.T) {
	var s Siblings
	text := "{"
	for i := range MaxSiblings {
		p, err := ParsePointer("/member" + strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		s.Add(p)
		text += `"member` + strconv.Itoa(i) + `":` + strconv.Itoa(i) + `,`
	}
	for _, others := range []int{1, 2 * longWalk} {
		var d Document
		if err := d.Parse([]byte(text + `"other":{"member0":1},"more":[1` + strings.Repeat(",1", others) + `]}`)); err != nil {
			t.Fatal(err)
		}
		var found [MaxSiblings]Value
		d.Root().GetAll(&s, found[:])
		for i, v := range found {
			if string(v.Raw()) != strconv.Itoa(i) {
				t.Errorf("member %d is %q", i, v.Raw())
			}
		}
		if n := testing.AllocsPerRun(100, func() { d.Root().GetAll(&s, found[:]) }); n > 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
