package event

import (
	"errors"
	"strings"
	"testing"
)

func TestParseChannel(t *testing.T) {
	id := strings.Repeat("f", maxSegment)
	for _, tc := range []struct {
		name             string
		scope            Scope
		id, topic, group string
	}{
		{"project/c13b/instances", ScopeProject, "c13b", "instances", "project/c13b"},
		{"project/" + id + "/a", ScopeProject, id, "a", "project/" + id},
		{"project/A_b-9/t_o-p1c", ScopeProject, "A_b-9", "t_o-p1c", "project/A_b-9"},
		{"user/u/keypairs", ScopeUser, "u", "keypairs", "user/u"},
		{"admin/hosts", ScopeAdmin, "", "hosts", "admin"},
		{"public/images", ScopePublic, "", "images", "public"},
		{"project/p/*", ScopeProject, "p", "*", "project/p"},
		{"admin/*", ScopeAdmin, "", "*", "admin"},
	} {
		c, err := ParsePattern(tc.name)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if (c != Channel{tc.scope, tc.id, tc.topic, tc.name}) || c.Group() != tc.group {
			t.Errorf("%s: %+v in %s", tc.name, c, c.Group())
		}
		if _, err := ParseChannel(tc.name); (err != nil) != c.Wildcard() {
			t.Errorf("%s as a channel: %v", tc.name, err)
		}
	}
}

func TestParsePatternRefusals(t *testing.T) {
	for _, name := range []string{
		"", "/", "*", "project", "project/", "project/p", "project/p/", "project//t", "project/*/t", "project/p/t/u",
		"project/p/T", "project/p/**", "project/p/t*", "project/p/ü", "project/p t/x", "project/../x", "Project/p/t",
		"admin", "admin/", "admin/a/b", "public/*/x", "none/x", "user/u", "project/p/t\n", "project/p\x00/t",
		"project/" + strings.Repeat("f", maxSegment+1) + "/t", "admin/" + strings.Repeat("t", maxSegment+1),
	} {
		if c, err := ParsePattern(name); !errors.Is(err, ErrChannel) {
			t.Errorf("%q: %+v, %v", name, c, err)
		}
	}
}

// What is accepted has one spelling: putting the parts together gives the name.
func FuzzChannel(f *testing.F) {
	for _, seed := range []string{"project/p/t", "user/u/*", "admin/t", "public/*", "project/p/t/u", "admin//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, err := ParsePattern(name)
		if err != nil {
			if !errors.Is(err, ErrChannel) || c != (Channel{}) {
				t.Fatalf("%+v, %v", c, err)
			}
			return
		}
		group := c.Scope.String()
		if c.Scope == ScopeProject || c.Scope == ScopeUser {
			group += "/" + c.ID
		}
		if c.Group() != group || group+"/"+c.Topic != name {
			t.Fatalf("%q read as %+v", name, c)
		}
	})
}
