package fuel_test

import (
	"slices"
	"testing"

	"horizon-realtime/router/fuel"
)

func TestCustomSections(t *testing.T) {
	module := section(running().bytes(), 0, []byte("\x01aone"))
	module = section(module, 0, []byte("\x01btwo"))
	module = section(module, 0, []byte("\x01athree"))
	module = section(module, 0, []byte("\x01c"))
	for name, want := range map[string]string{"a": "one", "b": "two", "c": ""} {
		if got := fuel.Custom(module, name); got == nil || string(got) != want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	for what, b := range map[string][]byte{
		"no such section":  module,
		"no module":        []byte("d"),
		"empty":            nil,
		"cut off":          slices.Concat(module, []byte("\x00\x05\x01d")),
		"a name too long":  section(module, 0, []byte("\x09d")),
		"another kind":     section(module, 11, []byte("\x01d")),
		"a name not UTF-8": section(module, 0, []byte("\x01\xff")),
	} {
		if got := fuel.Custom(b, "d"); got != nil {
			t.Errorf("%s: got %q", what, got)
		}
	}
	if _, _, err := fuel.Instrument(module, fuel.DefaultLimits()); err != nil {
		t.Error(err)
	}
}
