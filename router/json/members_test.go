package json

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// object is a text with so many members, every tenth of which comes again, and
// what a decoder makes of it.
func object(t *testing.T, members int, key func(i int) string) (text []byte, want map[string]json.RawMessage) {
	t.Helper()
	var b strings.Builder
	b.WriteByte('{')
	for i := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%s":%d`, key(i-i%10/9*(i/2)), i)
	}
	b.WriteByte('}')
	if err := json.Unmarshal([]byte(b.String()), &want); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String()), want
}

// checkMembers looks for members of the object, and for some that are not there:
// for all of them, or for a few where each takes a scan of many.
func checkMembers(t *testing.T, v Value, want map[string]json.RawMessage) {
	t.Helper()
	left := len(want)
	if v.d.members.scan {
		left = min(left, 3000)
	}
	for key, text := range want {
		if left--; left < 0 {
			break
		}
		if got := v.Member(key); string(got.Raw()) != string(text) {
			t.Fatalf("member %q is %s, want %s", key, got.Raw(), text)
		}
		if _, there := want[key+"x"]; !there && v.Member(key+"x").Kind() != Absent {
			t.Fatalf("there is a member %q", key+"x")
		}
	}
}

func TestMembersAreFoundHoweverManyThereAre(t *testing.T) {
	var d Document
	for _, members := range []int{0, 1, 2, 9, 60, 500, 3000, 30_000, MaxNodes - 1, 5} {
		text, want := object(t, members, func(i int) string { return fmt.Sprintf("%x", i) })
		if err := d.Parse(text); err != nil {
			t.Fatal(err)
		}
		checkMembers(t, d.Root(), want)
	}
}

// No text makes a search go far: where many keys meet, the objects are gone
// through.
func TestMembersThatMeetAreFound(t *testing.T) {
	var keys []string
	r := rand.New(rand.NewPCG(1, 2))
	for len(keys) < 2*near { // that go to one place in a table of 1<<10
		key := fmt.Sprintf("%x", r.Uint64())
		m := members{shift: 64 - 10}
		if m.place(0, hashKey(key)) == 7 {
			keys = append(keys, key)
		}
	}
	text, want := object(t, len(keys), func(i int) string { return keys[i] })
	text = append(text, strings.Repeat(" ", 1<<12-1-len(text))...)
	var d Document
	if err := d.Parse(text); err != nil {
		t.Fatal(err)
	}
	if !d.members.scan || len(d.members.table) != 1<<10 {
		t.Fatalf("the keys do not meet in a table of %d", len(d.members.table))
	}
	checkMembers(t, d.Root(), want)
}

func TestMembersOfOtherObjects(t *testing.T) {
	const text = `{"a":{"a":{"a":1,"b":2},"b":3,"a":{"b":4}},"b":[{"a":5},{"a":6}],"\u0061":{"a":7}}`
	for _, text := range []string{text, strings.Replace(text, `"\u0061"`, `"z"`, 1)} {
		var d Document
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{"/a/a/a", "/a/a/b", "/a/b", "/b/0/a", "/b/1/a", "/a/a", "/z/a"} {
			found := want
			for _, step := range strings.Split(p[1:], "/") {
				switch c := found.(type) {
				case map[string]any:
					found = c[step]
				case []any:
					found = c[step[0]-'0']
				default:
					found = nil
				}
			}
			got := any(nil)
			if v := d.Get(pointer(t, p)); v.Kind() != Absent {
				if err := json.Unmarshal(v.Raw(), &got); err != nil {
					t.Fatal(err)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(found) {
				t.Errorf("%s in %s is %v, want %v", p, text, got, found)
			}
		}
	}
}
