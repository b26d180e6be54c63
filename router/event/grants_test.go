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
	const want = `unknown grant "Admin", "", "cross-project"; there are admin, cross_project, shared`
	if got != 0 || err == nil || err.Error() != want {
		t.Fatalf("%v %v", got, err)
	}
}
