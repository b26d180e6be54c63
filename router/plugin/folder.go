package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"horizon-realtime/router/regular"
)

// folder is the folder of plugins as it is on disk.
type folder string

// found is a file of the folder. Its stamp changes with its content, with its
// signature's, and when another file takes its place.
type found struct {
	name, stamp string
	// module returns its content; nil for what is on disk.
	module func() []byte
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// scan lists the modules, in file-name order.
func (f folder) scan() ([]found, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("read the folder of plugins: %w; make it, or set [plugins] dir", err)
	}
	var files []found
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".wasm") && !strings.HasPrefix(name, ".") {
			files = append(files, found{name: name, stamp: stampFile(f.path(name)) + " " + stampFile(f.path(name)+".sig")})
		}
	}
	return files, nil
}

func stampFile(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	return fmt.Sprintf("%d/%d/%s", info.Size(), info.ModTime().UnixNano(), fileID(info))
}

func stampOf(files []found) string {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s %s\n", f.name, f.stamp)
	}
	return b.String()
}

// readModule reads the file, unless it is larger than the limit, and makes sure
// that nobody wrote to it meanwhile.
func readModule(path string, limit int64) ([]byte, error) {
	f, before, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	defer f.Close()
	if before.Size() > limit {
		return nil, fmt.Errorf("it has %d bytes, over the limit of %d; build it without debug information, or raise [plugins] max_module_bytes", before.Size(), limit)
	}
	module, err := regular.All(f, before.Size(), limit)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	after, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	if int64(len(module)) != before.Size() || before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) {
		return nil, errors.New("it changed while it was read; write it elsewhere and rename it into place")
	}
	return module, nil
}
