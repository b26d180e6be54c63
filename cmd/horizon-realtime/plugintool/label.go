package plugintool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/regular"
)

func newLabel(o *options) *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "label FILE.wasm --version VERSION",
		Short: "Write a plugin's name and version into its module",
		Long: `Write the name, which is the file's without its number, and a version into the module,
in place of those that it has. plugin build does it for plugins in Go; this is for the
other languages. Sign the file afterwards.`,
		Example: "  horizon-realtime plugin label 50-volumes.wasm --version 1.2.0",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if version == "" {
				return cli.Mistake("--version is missing: numbers with dots between them, such as 1.2.0")
			}
			l := label.Label{Name: nameOf(args[0]), Version: version}
			if err := l.Check(); err != nil {
				return cli.Mistake("%w", err)
			}
			if err := putLabel(args[0], l); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				File    string `json:"file"`
				Name    string `json:"name"`
				Version string `json:"version"`
			}{args[0], l.Name, l.Version}
			return o.print(out, result, func() { fmt.Fprintf(out, "%s: it is %s, version %s\n", args[0], l.Name, l.Version) })
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "numbers with dots between them, such as 1.2.0")
	return cmd
}

// putLabel writes the label into the module in a file.
//
// # Errors
//
// The file cannot be read or written, or is no module.
func putLabel(file string, l label.Label) error {
	module, err := readWasm(file)
	if err != nil {
		return err
	}
	part := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".label")
	defer os.Remove(part)
	if err := os.WriteFile(part, label.Put(module, l), 0o644); err != nil {
		return fmt.Errorf("write name and version: %w", err)
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("put the plugin into place: %w", err)
	}
	return nil
}

const (
	// versionFile in a plugin's folder has its version.
	versionFile = "VERSION"
	// noVersion is that of a plugin which nobody has given one.
	noVersion = "0"
)

// labelOf is the label of what is built of a folder into the file target.
//
// # Errors
//
// The version, or what versionFile holds, is none.
func labelOf(dir, target, version string) (label.Label, error) {
	text, err := regular.Read(filepath.Join(dir, versionFile), regular.Most)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return label.Label{}, fmt.Errorf("read the plugin's version: %w", err)
	}
	l := label.Label{Name: nameOf(target), Version: cmp.Or(version, strings.TrimSpace(string(text)), noVersion)}
	return l, l.Check()
}

// readWasm reads a module.
func readWasm(file string) ([]byte, error) {
	module, err := regular.Read(file, maxModule)
	if err != nil {
		return nil, fmt.Errorf("read the plugin: %w", err)
	}
	if !strings.HasPrefix(string(module[:min(4, len(module))]), "\x00asm") {
		return nil, fmt.Errorf("%s is no WebAssembly module; name what `horizon-realtime plugin build` makes", file)
	}
	return module, nil
}
