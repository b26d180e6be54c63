package main

import (
	"os"
	"path/filepath"
	"testing"
)

// maxPlugin is how big a compiled stock plugin may be, in bytes. An empty Go
// program is 1.8 MB.
const maxPlugin = 2_000_000

func TestPluginsAreSmall(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "plugins/50-*.wasm"))
	if err != nil || len(files) < 16 {
		t.Fatalf("found %d plugins: %v; build them with `make plugins`", len(files), err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxPlugin {
			t.Errorf("%s has %d bytes, which is over the limit of %d; a package like fmt or strconv may have come along", file, info.Size(), maxPlugin)
		}
	}
}
