package sdk

import (
	"slices"
	"testing"
)

// TestBundle: each plugin of a bundle wants its own fields and those in common, and an
// instance becomes the one that was chosen.
func TestBundle(t *testing.T) {
	before, list, own, shared, done, begun := registered, bundle, wants, common, sealed, started
	t.Cleanup(func() { registered, bundle, wants, common, sealed, started = before, list, own, shared, done, begun })
	registered, bundle, wants, common, sealed, started = Filter{}, nil, nil, nil, false, false

	handle := func(*Event) {}
	WantCommon("/payload/id")
	Want("/payload/size")
	Register(Filter{Name: "sizes", On: []string{"volume.*"}, Handle: handle})
	Want("/payload/name")
	Want("/payload/image")
	Register(Filter{Name: "names", On: []string{"image.*"}, Handle: handle})
	if failure != "" {
		t.Fatal(failure)
	}
	if got := string(plugins()); got != "sizes\nnames\n" {
		t.Errorf("its plugins are %q", got)
	}
	choose(0)
	if registered.Name != "sizes" || !slices.Equal(wants, []string{"/payload/id", "/payload/size"}) {
		t.Errorf("the first is %s, and wants %q", registered.Name, wants)
	}
}

// TestOnePluginOrABundle: a plugin without a name is no part of a bundle.
func TestOnePluginOrABundle(t *testing.T) {
	before, list, own, done, why := registered, bundle, wants, sealed, failure
	t.Cleanup(func() { registered, bundle, wants, sealed, failure = before, list, own, done, why })
	registered, bundle, failure = Filter{}, nil, ""

	handle := func(*Event) {}
	Register(Filter{Name: "sizes", On: []string{"volume.*"}, Handle: handle})
	Register(Filter{On: []string{"image.*"}, Handle: handle})
	if failure != "sdk: Register was called twice; give each plugin of a bundle a Name" {
		t.Errorf("the mistake is %q", failure)
	}
}
