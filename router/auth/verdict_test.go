package auth

import (
	"errors"
	"fmt"
	"testing"

	"horizon-realtime/router/event"
)

// TestVerdict: asked again, about another notification or by another plugin, a
// Judge decides anew.
func TestVerdict(t *testing.T) {
	var j Judge
	alpha, beta := &event.Notification{Project: "alpha"}, &event.Notification{Project: "beta"}
	for range 2 {
		for _, c := range []struct {
			grants event.Grants
			n      *event.Notification
			name   string
			want   error
		}{
			{0, alpha, "project/alpha/x", nil},
			{0, beta, "project/alpha/x", OtherProject},
			{event.GrantCrossProject, beta, "project/alpha/x", nil},
			{0, alpha, "admin/x", NotAdmin},
			{event.GrantAdmin, alpha, "admin/x", nil},
			{0, alpha, "project/alpha/*", event.ErrChannel},
			{0, alpha, "project/alpha", event.ErrChannel},
			{0, alpha, "", event.ErrChannel},
		} {
			ch, err := j.Verdict(c.grants, c.n, []byte(c.name))
			if !errors.Is(err, c.want) || err == nil && ch.Name != c.name || err != nil && ch != (event.Channel{}) {
				t.Errorf("%s with %q for %s: %q, %v", c.name, c.grants, c.n.Project, ch.Name, err)
			}
		}
	}
}

func TestVerdictIsBoundedAndAllocatesNothing(t *testing.T) {
	var j Judge
	n := &event.Notification{Project: "alpha"}
	for i := range 2*maxChannels + 100 {
		j.Verdict(0, n, fmt.Appendf(nil, "project/alpha/%d", i))
	}
	if len(j.channels) > maxChannels {
		t.Errorf("%d channels are kept", len(j.channels))
	}
	name := []byte("project/alpha/x")
	if got := testing.AllocsPerRun(100, func() { j.Verdict(0, n, name) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
