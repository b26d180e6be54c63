package plugintool

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/version"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Source is a folder with the Go package of a plugin.
type Source struct {
	// Dir is its absolute path, and Name the plugin's: that of the folder.
	Dir, Name string
	// Out takes what the go command prints.
	Out io.Writer
}

// openSource looks at a folder and at the go command that would build it.
//
// # Errors
//
// There is no such folder, a plugin cannot have its name, Go is not installed or
// too old, or the folder is in no Go module.
func openSource(ctx context.Context, dir string, out io.Writer) (*Source, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder %s: %w", dir, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("look at the plugin's folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder; name the one that holds the plugin's main.go", dir)
	}
	s := &Source{Dir: abs, Name: filepath.Base(abs), Out: out}
	if err := checkName(s.Name); err != nil {
		return nil, fmt.Errorf("the folder's name is the plugin's: %w", err)
	}
	return s, s.checkGo(ctx)
}

// checkGo asks the go command for its version and the module it is in.
func (s *Source) checkGo(ctx context.Context) error {
	const install = "install Go " + goVersion + " or newer: https://go.dev/dl/"
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("there is no go command in PATH, and plugins are built with it; " + install)
	}
	var said, complaint bytes.Buffer
	cmd := s.command(ctx, "env", "GOVERSION", "GOMOD")
	cmd.Stdout, cmd.Stderr = &said, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ask the go command for its version: %w\n%s\n%s", err, bytes.TrimSpace(complaint.Bytes()), install)
	}
	has, module, _ := strings.Cut(strings.TrimRight(said.String(), "\n"), "\n")
	// What follows a space are experiments, as in `go1.26.0 X:jsonv2`.
	has, _, _ = strings.Cut(has, " ")
	if version.IsValid(has) && version.Compare(has, "go"+goVersion) < 0 {
		return fmt.Errorf("the go command is %s, which cannot build a plugin (-buildmode=c-shared for wasip1); %s", has, install)
	}
	if module == "" || module == os.DevNull {
		return fmt.Errorf("%s is in no Go module: there is no go.mod; make a plugin's folder with `horizon-realtime plugin new NAME`", s.Dir)
	}
	return nil
}

// command is a call of the go command in the folder. It ignores a workspace
// further up, unless GOWORK names it.
func (s *Source) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "GOWORK="+cmp.Or(os.Getenv("GOWORK"), "off"))
	cmd.Stdout, cmd.Stderr = s.Out, s.Out
	return cmd
}

// File is the name of the module that is built. Plugins are called in the order
// of these names.
func (s *Source) File() string { return "50-" + s.Name + ".wasm" }

// Build compiles the folder into the file out, with its self-tests. The same
// source gives the same bytes wherever it is built.
//
// # Errors
//
// The go command failed, and Out has what it said; or a self-test cannot be read.
func (s *Source) Build(ctx context.Context, out string) error {
	cmd := s.command(ctx, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, ".")
	cmd.Env = append(cmd.Env, "GOOS=wasip1", "GOARCH=wasm")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: go build: %w", s.Dir, err)
	}
	return addSelfTests(s.Dir, out)
}

// Test runs the folder's own tests natively. With update, they write the golden
// cases instead of comparing.
//
// # Errors
//
// A test failed, or does not build; Out has what the go command said.
func (s *Source) Test(ctx context.Context, update bool) error {
	args := []string{"test", "./..."}
	if update {
		args = append([]string{"test", "-count=1"}, append(s.tested(), "-update")...)
	}
	if err := s.command(ctx, args...).Run(); err != nil {
		return fmt.Errorf("test %s natively: go %s: %w", s.Dir, strings.Join(args, " "), err)
	}
	return nil
}

// tested are the packages that have golden cases: the folder itself, or the plugins
// of a bundle.
func (s *Source) tested() []string {
	folders, err := filepath.Glob(filepath.Join(s.Dir, "*", "testdata"))
	if _, missing := os.Stat(filepath.Join(s.Dir, "testdata")); missing == nil || err != nil || len(folders) == 0 {
		return []string{"."}
	}
	for i, folder := range folders {
		folders[i] = "./" + filepath.Base(filepath.Dir(folder))
	}
	return folders
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
