package json

import (
	"encoding/json"
	"fmt"
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

// checkMembers looks for all members of the object, and for as many that are not there.
func checkMembers(t *testing.T, v Value, want map[string]json.RawMessage) {
	t.Helper()
	for key, text := range want {
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

// Whoever writes a message chooses its keys, and none may make searches long: members
// stand near their places in the table, in a full object as in many small ones.
func TestNoKeysMakeSearchesLong(t *testing.T) {
	const many = MaxNodes / 2
	for name, member := range map[string]func(i int) string{
		"numbers":           func(i int) string { return fmt.Sprintf(`"%d":0`, i) },
		"one high bit each": func(i int) string { return fmt.Sprintf(`"%c%032b":0`, 'a'+i%2*16, i) },
		"long":              func(i int) string { return fmt.Sprintf(`"%0100d%d":0`, 0, i) },
		"a long tail":       func(i int) string { return fmt.Sprintf(`"%08d%0100d":0`, i, 0) },
		"escaped":           func(i int) string { return fmt.Sprintf(`"\u0061%d":0`, i) },
		"all the same":      func(int) string { return `"a":0` },
		"the same, escaped": func(i int) string { return [2]string{`"a":0`, `"\u0061":0`}[i%2] },
		"small objects":     func(i int) string { return fmt.Sprintf(`"%d":{"a":0}`, i/2) },
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte{'{'}
			for i := range many - 1 {
				text = append(append(text, member(i)...), ',')
			}
			var d Document
			if err := d.Parse(append(text, `"end":0}`...)); err != nil {
				t.Fatal(err)
			}
			steps, found := uint64(0), uint64(0)
			for at, i := range d.members.table {
				if n := &d.nodes[i]; i != 0 {
					steps += (uint64(at) - d.members.place(n.parent, n.hash)) & uint64(len(d.members.table)-1)
					found++
				}
			}
			if found == 0 || steps > 4*found {
				t.Errorf("%d members stand %d places off", found, steps)
			}
		})
	}
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
