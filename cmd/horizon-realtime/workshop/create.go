package workshop

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"horizon-realtime/sdk"
	"horizon-realtime/sdk/abi"
)

// skeleton is what a new folder is filled with. Its Go files end in .txt so that
// they are not taken for this package's.
//
//go:embed all:skeleton
var skeleton embed.FS

// sdkFolder is where a filter's folder keeps the SDK: a module of its own that
// go.mod's replace points at, named as the import path begins.
const sdkFolder = "horizon-realtime"

// GoVersion is the oldest Go that builds a filter: the first one that makes a
// reactor for wasip1.
const GoVersion = "1.24"

const maxName = 64

// ErrName is wrapped by every refusal of a name.
var ErrName = errors.New("bad name")

// CheckName tells whether a filter may be called that. The name is also a table
// of router.toml, a file, and the last part of a Go module.
//
// # Errors
//
// One that wraps ErrName and says what a name looks like.
func CheckName(name string) error {
	order, rest, cut := strings.Cut(name, "-")
	switch {
	case cut && order != "" && rest != "" && strings.Trim(order, "0123456789") == "":
		return fmt.Errorf("%w %q: the number says when the filter is called and belongs to the file alone; call it %q, and its file %s.wasm", ErrName, name, rest, name)
	case len(name) == 0 || len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || name[0] < 'a' || name[0] > 'z':
		return fmt.Errorf("%w %q: 1 to %d characters of a-z 0-9 _ -, of which the first is a letter", ErrName, name, maxName)
	}
	return nil
}

// Create makes the folder dir for a new filter, named as the folder is, with
// everything in it that building and testing takes. It returns the files, by
// their paths within dir. If it fails half way, what it made is removed.
//
// # Errors
//
// The name is none, there is such a folder already, or it cannot be written.
func Create(dir string) (files []string, err error) {
	name := filepath.Base(filepath.Clean(dir))
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder above %s: %w", dir, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s is there already, and nothing is overwritten; choose another name, or remove it", dir)
		}
		return nil, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	own, err := render(name)
	if err != nil {
		return nil, err
	}
	for _, each := range []map[string][]byte{own, sdkFiles()} {
		if err := writeFiles(dir, each); err != nil {
			return nil, err
		}
	}
	return sortedKeys(own), nil
}

// render fills the skeleton in.
func render(name string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := fs.WalkDir(skeleton, "skeleton", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := skeleton.ReadFile(file)
		if err != nil {
			return err
		}
		t, err := template.New(file).Delims("<<", ">>").Parse(string(text))
		if err != nil {
			return err
		}
		var filled bytes.Buffer
		if err := t.Execute(&filled, struct {
			Name, Go string
			ABI      int
		}{name, GoVersion, abi.Version}); err != nil {
			return err
		}
		files[strings.TrimSuffix(strings.TrimPrefix(file, "skeleton/"), ".txt")] = filled.Bytes()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fill the skeleton in: %w", err)
	}
	return files, nil
}

// sdkFiles are the SDK as a module of its own, without its tests.
func sdkFiles() map[string][]byte {
	files := map[string][]byte{
		sdkFolder + "/go.mod": []byte("// The SDK of horizon-realtime, written by `horizon-realtime plugin new`, renewed by `plugin update`.\n" +
			"// Apache License 2.0.\nmodule horizon-realtime\n\ngo " + GoVersion + "\n"),
	}
	err := fs.WalkDir(sdk.Sources, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || file == "sources.go" {
			return err
		}
		text, err := sdk.Sources.ReadFile(file)
		files[path.Join(sdkFolder, "sdk", file)] = text
		return err
	})
	if err != nil {
		panic(err) // it is in the program
	}
	return files
}

func writeFiles(dir string, files map[string][]byte) error {
	for _, name := range sortedKeys(files) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("make the folder of %s: %w", file, err)
		}
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return nil
}

// SDKDiffers tells whether the filter in dir brings an SDK along that is not
// this program's. A filter without one of its own has nothing that could differ.
func SDKDiffers(dir string) bool {
	if !hasSDK(dir) {
		return false
	}
	for name, want := range sdkFiles() {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			return true
		}
	}
	return false
}

// hasSDK tells whether dir has the folder that Create makes for the SDK.
func hasSDK(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, sdkFolder, "go.mod"))
	return err == nil && bytes.Contains(text, []byte("\nmodule horizon-realtime\n"))
}

// Update replaces the SDK in a filter's folder by this program's.
//
// # Errors
//
// The folder has none that Create made, or it cannot be written.
func Update(dir string) error {
	if !hasSDK(dir) {
		return fmt.Errorf("%s has no SDK of `plugin new`: there is no %s; nothing was changed", dir, filepath.Join(dir, sdkFolder, "go.mod"))
	}
	next := filepath.Join(dir, "."+sdkFolder+".new")
	defer os.RemoveAll(next)
	if err := writeFiles(next, sdkFiles()); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, sdkFolder)); err != nil {
		return fmt.Errorf("remove the old SDK: %w", err)
	}
	if err := os.Rename(filepath.Join(next, sdkFolder), filepath.Join(dir, sdkFolder)); err != nil {
		return fmt.Errorf("put the new SDK into place: %w", err)
	}
	return nil
}

// NameOf takes the filter's name out of its file's, as the router does:
// 50-volumes.wasm is volumes.
func NameOf(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".wasm")
	if order, rest, cut := strings.Cut(name, "-"); cut && order != "" && strings.Trim(order, "0123456789") == "" {
		return rest
	}
	return name
}
