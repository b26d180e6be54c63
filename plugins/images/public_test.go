package images

import (
	"strings"
	"testing"

	"horizon-realtime/sdk/sdktest"
)

// Everybody hears of an image while it is public, and that it is gone when it is
// public no more, but nothing else of it then.
func TestPublicImages(t *testing.T) {
	f := sdktest.Start(t, `{"public":true}`)
	for _, step := range []struct{ event, visibility, want string }{
		{"image.create", "private", "project/p1/images create, admin/images create"},
		{"image.update", "public", "project/p1/images update, admin/images update, public/images update"},
		{"image.update", "private", "public/images delete removed, project/p1/images update, admin/images update"},
		{"image.update", "private", "project/p1/images update, admin/images update"},
		{"image.update", "public", "project/p1/images update, admin/images update, public/images update"},
		{"image.delete", "public", "project/p1/images delete removed, admin/images delete removed, public/images delete removed"},
		{"image.update", "private", "project/p1/images update, admin/images update"},
	} {
		a := f.Send(sdktest.Notification{Project: "p1", Message: []byte(`{"event_type":"` + step.event + `","priority":"INFO",
			"timestamp":"2026-11-23 10:00:00.000000","payload":{"id":"i1","name":"secret plans","owner":"p1","status":"active","visibility":"` + step.visibility + `"}}`)})
		var got []string
		for _, e := range a.Emissions {
			_, rest, _ := strings.Cut(string(e.Payload), `"action":"`)
			action, _, _ := strings.Cut(rest, `"`)
			line := e.Channel + " " + action
			if e.Removed {
				line += " removed"
			}
			got = append(got, line)
			if e.Channel == "public/images" && step.visibility != "public" && strings.Contains(string(e.Payload), "secret") {
				t.Errorf("everybody is told %s", e.Payload)
			}
		}
		if strings.Join(got, ", ") != step.want {
			t.Errorf("%s, %s:\n got %s\nwant %s", step.event, step.visibility, strings.Join(got, ", "), step.want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	if _, err := sdktest.TryStart(t, `{"publik":true}`); err == nil || !strings.HasSuffix(err.Error(), "config publik: the keys are admin and public, true or false") {
		t.Errorf("got %v", err)
	}
}
