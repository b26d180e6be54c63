package main

import (
	"path"
	"testing"
)

// Every mutant can be applied to the code as it is, and changes it; names are
// unique.
func TestMutantsAreAimed(t *testing.T) {
	all, err := read("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Errorf("there are %d mutants", len(all))
	}
	names := map[string]bool{}
	for _, m := range all {
		if m.Name == "" || names[m.Name] || m.Find == m.Replace || path.Ext(m.File) != ".go" {
			t.Errorf("%q is not well formed, or there twice", m.Name)
		}
		names[m.Name] = true
	}
}

// A mutant whose text is gone, or there twice, is named with its file.
func TestStaleMutants(t *testing.T) {
	for _, find := range []string{"this is not in the file", "package"} {
		m := mutant{File: "cmd/mutants/mutant.go", Find: find}
		if err := m.apply("../.."); err == nil {
			t.Errorf("%q is applied", find)
		}
	}
}
