//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sdks = "../../../sdk"

// languages are the SDKs beside the one for Go.
var languages = []struct {
	name, ending string
	// own are the files that an author takes along.
	own []string
	// before and after are what the example says of where the SDK is.
	before, after string
}{
	{"c", ".c", []string{"hr.h", "build"}, `#include "hr.h"`, `#include "hr.h"`},
	{"rust", ".rs", []string{"hr.rs", "build"}, `"../hr.rs"`, `"hr.rs"`},
	{"assemblyscript", ".ts", []string{"hr.ts", "build", "package.json", "node_modules"}, `"../hr"`, `"./hr"`},
}

// TestConformance builds the conformance filter with every SDK, and runs the
// cases that all of them have to fulfil in the router's plugin host.
func TestConformance(t *testing.T) {
	t.Run("go", func(t *testing.T) {
		module := filepath.Join(t.TempDir(), "50-conformance.wasm")
		build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", module, "./conformance/filter")
		build.Dir, build.Env = sdks, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		must(t, build)
		conforms(t, module)
	})
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "50-conformance.wasm")
			must(t, exec.Command(filepath.Join(sdks, l.name, "build"), filepath.Join(sdks, l.name, "conformance", "filter"+l.ending), module))
			conforms(t, module)
		})
	}
}

func conforms(t *testing.T, module string) {
	t.Helper()
	cases, err := filepath.Glob(filepath.Join(sdks, "conformance", "cases", "*.json"))
	if err != nil || len(cases) < 70 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	out := must(t, exec.Command(binary, "plugin", "test", "--conformance", module))
	if want := fmt.Sprintf("\n%d cases passed\n", len(cases)); !strings.Contains(out, want) {
		t.Errorf("want %q in\n%s", want, out)
	}
}

// TestExamples does in a folder of its own what the README of each SDK says.
func TestExamples(t *testing.T) {
	program, err := filepath.Abs(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			from, err := filepath.Abs(filepath.Join(sdks, l.name))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for _, file := range append(l.own, "example/testdata") {
				if err := os.Symlink(filepath.Join(from, file), filepath.Join(dir, filepath.Base(file))); err != nil {
					t.Fatal(err)
				}
			}
			source, err := os.ReadFile(filepath.Join(from, "example", "resized"+l.ending))
			if err != nil || !strings.Contains(string(source), l.before) {
				t.Fatalf("no %q in the example, %v", l.before, err)
			}
			text := strings.ReplaceAll(string(source), l.before, l.after)
			if err := os.WriteFile(filepath.Join(dir, "resized"+l.ending), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(name string, args ...string) string {
				cmd := exec.Command(name, args...)
				cmd.Dir = dir
				return must(t, cmd)
			}
			run("./build", "resized"+l.ending, "50-resized.wasm")
			if out := run(program, "plugin", "inspect", "50-resized.wasm"); !strings.Contains(out, ", admitted\n") || strings.Contains(out, "wasi") || strings.Contains(out, "env.") {
				t.Error(out)
			}
			if out := run(program, "plugin", "test", "50-resized.wasm"); !strings.Contains(out, "2 cases passed\n") {
				t.Error(out)
			}
		})
	}
}

// TestTwoAllocators runs filters that have memory of their own beside the SDK's,
// for several events, within the memory that a filter gets.
func TestTwoAllocators(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(sdks, "c", "example", "testdata", "small.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Notification json.RawMessage }
	if err := json.Unmarshal(example, &golden); err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, golden.Notification); err != nil {
		t.Fatal(err)
	}
	for _, l := range languages[:2] {
		t.Run(l.name, func(t *testing.T) {
			dir := t.TempDir()
			module, config := filepath.Join(dir, "50-allocators.wasm"), filepath.Join(dir, "router.toml")
			must(t, exec.Command(filepath.Join(sdks, l.name, "build"), "testdata/allocators"+l.ending, module))
			if err := os.WriteFile(config, []byte("[plugin.allocators]\nfuel = 2_000_000_000\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.Command(binary, "plugin", "run", "--config-file", config, module, "-")
			run.Stdin = strings.NewReader(strings.Repeat(line.String()+"\n", 4))
			if out := must(t, run); strings.Count(out, `{"own":true,"lent":true}`) != 4 {
				t.Error(out)
			}
		})
	}
}

// must runs a command that has to go well, and gives what it prints.
func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
