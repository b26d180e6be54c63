package plugintool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
)

func newBuild(o *options) *cobra.Command {
	var to, version string
	cmd := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a plugin's folder into a .wasm, and check that a router admits it",
		Long: `Build the Go package in DIR into DIR/50-<name>.wasm, or into --out. Plugins are called
in the order of their file names, hence the number. The module is first loaded as a
router would load it, and put into its place only if it is admitted, so --out may name
the folder of a running router. The module carries its name, which is the file's, and its
version: --version, or what the file VERSION in DIR says, or else 0.`,
		Example: `  horizon-realtime plugin build
  horizon-realtime plugin build --out /etc/horizon-realtime/plugins/ ./volumes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			source, err := openSource(cmd.Context(), folder(args), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			target, err := targetOf(source, to)
			if err != nil {
				return err
			}
			if sdkDiffers(source.Dir) {
				fmt.Fprintln(cmd.ErrOrStderr(), "note: the plugin's SDK is not this program's; `horizon-realtime plugin update` would renew it")
			}
			found, err := build(cmd.Context(), source, target, version, setup)
			out := cmd.OutOrStdout()
			if found != nil && err != nil && o.json() {
				return errors.Join(err, o.print(out, found, nil))
			}
			if err != nil {
				return err
			}
			return o.print(out, found, func() {
				fmt.Fprintf(out, "%s: %s, admitted\n", shown(target), sized(found.Bytes))
				if found.Version != noVersion {
					fmt.Fprintf(out, "  version  %s\n", found.Version)
				}
				printSubscription(out, found)
				fmt.Fprintf(out, "  imports  %s\n", strings.Join(namesOf(found.Imports), " "))
			})
		},
	}
	cmd.Flags().StringVarP(&to, "out", "o", "", "the file to write, or the folder to write 50-<name>.wasm into")
	cmd.Flags().StringVar(&version, "version", "", "numbers with dots between them, such as 1.2.0 (default: the file VERSION, or 0)")
	return cmd
}

// targetOf is the file that is built.
func targetOf(s *Source, to string) (string, error) {
	if to == "" {
		return filepath.Join(s.Dir, s.File()), nil
	}
	to, err := filepath.Abs(to)
	if err != nil {
		return "", fmt.Errorf("find --out: %w", err)
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		return filepath.Join(to, s.File()), nil
	}
	if !strings.HasSuffix(to, ".wasm") {
		return "", cli.Mistake("--out %s: a router loads files whose names end in .wasm", to)
	}
	return to, nil
}

// build makes the module beside its place, and renames it into place once it has
// been admitted: a router that watches the folder sees whole files only. It also
// returns what it found about a module that is not admitted.
func build(ctx context.Context, source *Source, target, version string, setup Setup) (*Inspection, error) {
	l, err := labelOf(source.Dir, target, version)
	if err != nil {
		return nil, err
	}
	part := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".part")
	defer os.Remove(part)
	if err := source.Build(ctx, part); err != nil {
		return nil, err
	}
	if err := putLabel(part, l); err != nil {
		return nil, err
	}
	found, err := inspect(ctx, part, filepath.Base(target), setup)
	if err != nil {
		return nil, err
	}
	found.File = target
	if err := found.Refusal(); err != nil {
		return found, fmt.Errorf("it was built, but a router would refuse it: %w", err)
	}
	if err := os.Chmod(part, 0o644); err != nil {
		return nil, fmt.Errorf("make the plugin readable: %w", err)
	}
	if err := os.Rename(part, target); err != nil {
		return nil, fmt.Errorf("put the plugin into place: %w", err)
	}
	return found, nil
}

// shown is a path relative to the current folder, if it is below it.
func shown(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
