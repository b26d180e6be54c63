package fuel

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestIdentityIsOfAllSources(t *testing.T) {
	want, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	want = slices.DeleteFunc(want, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	got, err := fs.Glob(sources, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("embedded are %v, there are %v", got, want)
	}
}
