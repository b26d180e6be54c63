package panel

import (
	"strings"
	"testing"

	"horizon-realtime/sdk"
)

func TestTime(t *testing.T) {
	var j sdk.JSON
	for in, want := range map[string]string{
		`"2026-11-23 14:51:32+00:00"`:        `{"t":"2026-11-23T14:51:32Z"}`,
		`"2026-11-23T14:51:46.776359"`:       `{"t":"2026-11-23T14:51:46Z"}`,
		`"2026-11-23T14:51:46.776359+00:00"`: `{"t":"2026-11-23T14:51:46Z"}`,
		`"2026-11-23T14:51:32Z"`:             `{"t":"2026-11-23T14:51:32Z"}`,
		`"2026-11-23T14:51:32"`:              `{"t":"2026-11-23T14:51:32Z"}`,
		`"2026-11-23T14:51:32+02:00"`:        `{"t":"2026-11-23T14:51:32+02:00"}`,
		`"soon"`:                             `{"t":"soon"}`,
		`""`:                                 `{"t":null}`,
		`null`:                               `{"t":null}`,
		``:                                   `{}`,
	} {
		o := j.Object()
		Time(&Columns{o, maxColumns}, "t", sdk.Parse(in))
		if got := o.Text(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"No host. \nTraceback":          "No host.",
		strings.Repeat("x", 300):        strings.Repeat("x", 255),
		strings.Repeat("x", 254) + "☃x": strings.Repeat("x", 254),
		strings.Repeat("x", 252) + "☃x": strings.Repeat("x", 252) + "☃",
	} {
		if got := Sentence(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestConfigure(t *testing.T) {
	for in, want := range map[string]string{
		`{}`: "", `{"admin":false}`: "",
		`{"admin":1}`:    "config admin: the only key is admin, true or false",
		`{"colour":"x"}`: "config colour: the only key is admin, true or false",
	} {
		got := ""
		if err := Configure(sdk.Parse(in)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
