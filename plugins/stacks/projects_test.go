package stacks

import (
	"testing"

	"horizon-realtime/sdk/sdktest"
)

// With projects = true, whoever acted is told in the project they acted in, and
// is not told what is for admins.
func TestActorsProject(t *testing.T) {
	cases, err := sdktest.Cases("testdata")
	if err != nil {
		t.Fatal(err)
	}
	f := sdktest.Start(t, `{"projects":true}`)
	for _, c := range cases {
		a := f.Send(sdktest.Notification{Message: c.Notification})
		if len(a.Emissions) != 2 {
			t.Fatalf("%s: %d emissions, want one for the project and one for admins", c.Name, len(a.Emissions))
		}
		for i, want := range []string{"project/c13b0517d2dd47909cc4ee792e4f6ff3/stacks", "admin/stacks"} {
			if got := a.Emissions[i].Channel; got != want {
				t.Errorf("%s: emission %d goes to %s, want %s", c.Name, i, got, want)
			}
		}
		if a.Emissions[0].Removed != a.Emissions[1].Removed {
			t.Errorf("%s: removed for one of the two only", c.Name)
		}
	}
}

func TestUnknownConfiguration(t *testing.T) {
	for config, want := range map[string]string{
		`{"project":true}`:  "the plugin refuses to start: config project: the keys are admin and projects, true or false",
		`{"projects":"on"}`: "the plugin refuses to start: config projects: the keys are admin and projects, true or false",
	} {
		if _, err := sdktest.TryStart(t, config); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", config, err, want)
		}
	}
}
