package event

import (
	"slices"
	"testing"
)

func TestParseGrants(t *testing.T) {
	for name, c := range map[string]struct {
		names, want []string
		grants      Grants
	}{
		"none":    {nil, nil, 0},
		"admin":   {[]string{"admin"}, []string{"admin"}, GrantAdmin},
		"cross":   {[]string{"cross_project"}, []string{"cross_project"}, GrantCrossProject},
		"both":    {[]string{"cross_project", "admin"}, []string{"admin", "cross_project"}, GrantAdmin | GrantCrossProject},
		"shared":  {[]string{"shared"}, []string{"shared"}, GrantShared},
		"stop":    {[]string{"stop"}, []string{"stop"}, GrantStop},
		"doubled": {[]string{"admin", "admin"}, []string{"admin"}, GrantAdmin},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseGrants(c.names)
			if err != nil || got != c.grants || !slices.Equal(got.Names(), c.want) {
				t.Fatalf("%v %q %v", got, got.Names(), err)
			}
		})
	}
	got, err := ParseGrants([]string{"admin", "Admin", "", "cross-project"})
	const want = `unknown grant "Admin", "", "cross-project"; there are admin, cross_project, shared, stop`
	if got != 0 || err == nil || err.Error() != want {
		t.Fatalf("%v %v", got, err)
	}
}

func TestPermits(t *testing.T) {
	own := &Permit{Grants: GrantAdmin | GrantStop, Topics: []string{"networks", "ports"}}
	for topic, want := range map[string]bool{"ports": true, "port": false, "": false, "*": false} {
		if own.Topic(topic) != want {
			t.Errorf("%q: %t", topic, !want)
		}
	}
	other := &Permit{Grants: GrantStop | GrantCrossProject, Topics: []string{"ports", "routers"}}
	all := &Permit{Grants: ^Grants(0), Topics: []string{AnyTopic}}
	if !all.Topic("anything") {
		t.Error("any topic is not any")
	}
	for name, c := range map[string]struct{ a, b, want *Permit }{
		"both":       {own, other, &Permit{GrantStop, []string{"ports"}}},
		"all of one": {all, own, own},
		"one of all": {own, all, own},
		"nothing":    {own, &Permit{}, &Permit{}},
	} {
		if got := c.a.And(c.b); got.Grants != c.want.Grants || !slices.Equal(got.Topics, c.want.Topics) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
