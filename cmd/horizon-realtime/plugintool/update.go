package plugintool

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"horizon-realtime/sdk"
	"horizon-realtime/sdk/abi"

	"github.com/spf13/cobra"
)

func newUpdate(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "update [DIR]",
		Short: "Replace the SDK in a plugin's folder with this program's",
		Long: `Replace DIR/horizon-realtime, the SDK that plugin new wrote, with the one that matches
this program. The plugin's own files stay as they are.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := folder(args)
			if err := update(dir); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				Dir string `json:"dir"`
				ABI int    `json:"abi"`
			}{dir, abi.Version}
			return o.print(out, result, func() { fmt.Fprintf(out, "the SDK in %s is this program's: plugin ABI %d\n", dir, abi.Version) })
		},
	}
}

// sdkFolder holds the SDK in a plugin's folder. It is a module of its own, which
// go.mod's replace points at, named like the start of the import path.
const sdkFolder = "horizon-realtime"

// sdkFiles are the SDK as a module of its own, without its tests.
func sdkFiles() map[string][]byte {
	files := map[string][]byte{
		sdkFolder + "/go.mod": []byte("// The SDK of horizon-realtime, written by `horizon-realtime plugin new`, renewed by `plugin update`.\n" +
			"// Apache License 2.0.\nmodule horizon-realtime\n\ngo " + goVersion + "\n"),
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

// sdkDiffers reports whether the plugin in dir has an SDK of its own that is not
// this program's.
func sdkDiffers(dir string) bool {
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

// hasSDK reports whether dir has the folder that Create makes for the SDK.
func hasSDK(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, sdkFolder, "go.mod"))
	return err == nil && bytes.Contains(text, []byte("\nmodule horizon-realtime\n"))
}

// update replaces the SDK in a plugin's folder with this program's.
//
// # Errors
//
// The folder has none that Create made, or it cannot be written.
func update(dir string) error {
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
