package plugintool

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/sdk/abi"
)

func newNew(o *options) *cobra.Command {
	var bundle bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make the folder of a new plugin, ready to build",
		Long: `Make the folder NAME with a plugin in it, its test, a golden case, recorded
notifications, and the SDK that matches this program, so that building it takes Go but
no network. NAME may be a path. Nothing is overwritten. With --bundle, there are two
plugins in it, which become one module.`,
		Example: "  horizon-realtime plugin new volumes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := create(args[0], bundle)
			if errors.Is(err, errName) {
				return cli.Mistake("%w", err)
			}
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				Dir   string   `json:"dir"`
				ABI   int      `json:"abi"`
				Files []string `json:"files"`
			}{args[0], abi.Version, files}
			return o.print(out, result, func() {
				fmt.Fprintf(out, "made %s:", args[0])
				for _, file := range files {
					fmt.Fprintf(out, " %s", file)
				}
				fmt.Fprintf(out, ", and the SDK (plugin ABI %d)\n\n  cd %s\n  horizon-realtime plugin build\n  horizon-realtime plugin test\n", abi.Version, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&bundle, "bundle", false, "make a bundle: two plugins in one module")
	return cmd
}

// skeleton is what a new folder is filled with. Its Go files end in .txt so that
// they are not taken for this package's. What bundle has takes the place of the
// plugin and its test in a bundle's folder.
//
//go:embed all:skeleton all:bundle
var skeleton embed.FS

// goVersion is the oldest Go that builds a plugin: the first that makes a
// reactor for wasip1.
const goVersion = "1.24"

const maxName = 64

// errName is wrapped by every refusal of a name.
var errName = errors.New("bad name")

// checkName reports whether a plugin may be called that. The name is also a table
// of router.toml, a file, and the last part of a Go module.
//
// # Errors
//
// One that wraps errName and says what a name looks like.
func checkName(name string) error {
	order, rest, cut := strings.Cut(name, "-")
	switch {
	case cut && order != "" && rest != "" && strings.Trim(order, "0123456789") == "":
		return fmt.Errorf("%w %q: the number says when the plugin is called and belongs to the file alone; call it %q, and its file %s.wasm", errName, name, rest, name)
	case len(name) == 0 || len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || name[0] < 'a' || name[0] > 'z':
		return fmt.Errorf("%w %q: 1 to %d characters of a-z 0-9 _ -, of which the first is a letter", errName, name, maxName)
	}
	return nil
}

// create makes the folder dir for a new plugin, named as the folder is, with
// everything in it that building and testing takes. It returns the files, by
// their paths within dir. If it fails half way, what it made is removed.
//
// # Errors
//
// The name is none, there is such a folder already, or it cannot be written.
func create(dir string, bundle bool) (files []string, err error) {
	name := filepath.Base(filepath.Clean(dir))
	if err := checkName(name); err != nil {
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
	own, err := render("skeleton", name)
	if err != nil {
		return nil, err
	}
	if bundle {
		for _, file := range []string{"main_test.go", "testdata/suspended.json"} {
			delete(own, file)
		}
		several, err := render("bundle", name)
		if err != nil {
			return nil, err
		}
		maps.Copy(own, several)
	}
	for _, each := range []map[string][]byte{own, sdkFiles()} {
		if err := writeFiles(dir, each); err != nil {
			return nil, err
		}
	}
	return sortedKeys(own), nil
}

// render fills in what is in a folder of the skeleton.
func render(from, name string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := fs.WalkDir(skeleton, from, func(file string, d fs.DirEntry, err error) error {
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
		}{name, goVersion, abi.Version}); err != nil {
			return err
		}
		files[strings.TrimSuffix(strings.TrimPrefix(file, from+"/"), ".txt")] = filled.Bytes()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("fill the skeleton in: %w", err)
	}
	return files, nil
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

// nameOf takes the plugin's name out of its file's, as the router does:
// 50-volumes.wasm is volumes.
func nameOf(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".wasm")
	if order, rest, cut := strings.Cut(name, "-"); cut && order != "" && strings.Trim(order, "0123456789") == "" {
		return rest
	}
	return name
}
