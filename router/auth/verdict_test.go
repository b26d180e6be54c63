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
	topics := func(grants event.Grants) *event.Permit {
		return &event.Permit{Grants: grants, Topics: []string{"x", "y"}}
	}
	alpha, beta := &event.Notification{Project: "alpha"}, &event.Notification{Project: "beta"}
	for range 2 {
		for _, c := range []struct {
			permit *event.Permit
			n      *event.Notification
			name   string
			want   error
		}{
			{topics(0), alpha, "project/alpha/x", nil},
			{topics(0), beta, "project/alpha/x", OtherProject},
			{topics(event.GrantCrossProject), beta, "project/alpha/x", nil},
			{topics(0), alpha, "admin/x", NotAdmin},
			{topics(event.GrantAdmin), alpha, "admin/x", nil},
			{topics(0), alpha, "project/alpha/z", OtherTopic},
			{topics(event.GrantAdmin | event.GrantCrossProject), alpha, "admin/z", OtherTopic},
			{&event.Permit{Topics: []string{event.AnyTopic}}, alpha, "project/alpha/z", nil},
			{topics(0), alpha, "project/alpha/*", event.ErrChannel},
			{topics(0), alpha, "project/alpha", event.ErrChannel},
			{topics(0), alpha, "", event.ErrChannel},
		} {
			ch, err := j.Verdict(c.permit, c.n, []byte(c.name))
			if !errors.Is(err, c.want) || err == nil && ch.Name != c.name || err != nil && ch != (event.Channel{}) {
				t.Errorf("%s with %+v for %s: %q, %v", c.name, c.permit, c.n.Project, ch.Name, err)
			}
		}
	}
}

func TestVerdictIsBoundedAndAllocatesNothing(t *testing.T) {
	var j Judge
	permit := &event.Permit{Topics: []string{event.AnyTopic}}
	n := &event.Notification{Project: "alpha"}
	for i := range 2*maxChannels + 100 {
		j.Verdict(permit, n, fmt.Appendf(nil, "project/alpha/%d", i))
	}
	if len(j.channels) > maxChannels {
		t.Errorf("%d channels are kept", len(j.channels))
	}
	name := []byte("project/alpha/x")
	if got := testing.AllocsPerRun(100, func() { j.Verdict(permit, n, name) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
