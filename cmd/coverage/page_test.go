package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// The page is what the program makes.
func TestPage(t *testing.T) {
	want, err := makePage(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "docs/coverage.md")
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date; make it with `go run ./cmd/coverage > docs/coverage.md` at the top of the source tree", file)
	}
}
