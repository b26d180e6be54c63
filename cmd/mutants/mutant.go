package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed mutants.toml
var list string

// mutant is one way to break the code.
type mutant struct {
	// Name says what is broken.
	Name string
	// File is where, by its path in the source tree.
	File string
	// Find is a text that the file has once, and Replace what stands there
	// instead.
	Find, Replace string
	// Package is the package whose tests fail then; by default the file's own.
	Package string
	// mutated is the whole file.
	mutated string
}

// pkg is the package whose tests fail, as go test takes it.
func (m *mutant) pkg() string {
	if m.Package != "" {
		return "./" + m.Package
	}
	return "./" + path.Dir(m.File)
}

// read reads the list, and applies each mutant to the source tree at root.
//
// # Errors
//
// The list cannot be read, or the code has moved on: a file is gone, or does not
// have the text exactly once. All such mutants are named.
func read(root string) ([]mutant, error) {
	var all struct{ Mutant []mutant }
	meta, err := toml.Decode(list, &all)
	if err != nil {
		return nil, fmt.Errorf("read mutants.toml: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("read mutants.toml: unknown key %s", unknown[0])
	}
	var stale []error
	for i := range all.Mutant {
		if err := all.Mutant[i].apply(root); err != nil {
			stale = append(stale, fmt.Errorf("%s: %w", all.Mutant[i].Name, err))
		}
	}
	return all.Mutant, errors.Join(stale...)
}

func (m *mutant) apply(root string) error {
	text, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return fmt.Errorf("the code has moved: %w; aim the mutant in cmd/mutants/mutants.toml again", err)
	}
	if n := strings.Count(string(text), m.Find); n != 1 {
		return fmt.Errorf("the code has moved: %s has the text %q %d times, and should have it once; aim the mutant in cmd/mutants/mutants.toml again", m.File, m.Find, n)
	}
	m.mutated = strings.Replace(string(text), m.Find, m.Replace, 1)
	return nil
}
