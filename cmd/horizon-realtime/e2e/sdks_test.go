//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
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

// TestConformance builds the conformance plugin with every SDK, and runs the cases
// that all of them have to pass in the router's plugin host. Then all of them read
// the same malformed JSON, and have to agree on it.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	modules := map[string]string{"go": filepath.Join(dir, "50-go.wasm")}
	t.Run("go", func(t *testing.T) {
		build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", modules["go"], "./conformance/filter")
		build.Dir, build.Env = sdks, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		must(t, build)
		conforms(t, modules["go"])
	})
	for _, l := range languages {
		modules[l.name] = filepath.Join(dir, "50-"+l.name+".wasm")
		t.Run(l.name, func(t *testing.T) {
			must(t, exec.Command(filepath.Join(sdks, l.name, "build"), filepath.Join(sdks, l.name, "conformance", "filter"+l.ending), modules[l.name]))
			conforms(t, modules[l.name])
		})
	}
	if !t.Failed() {
		agree(t, modules)
	}
}

// agree has the plugins read JSON that was tampered with at random.
func agree(t *testing.T, modules map[string]string) {
	t.Helper()
	seed := rand.Uint64()
	texts := tampered(rand.New(rand.NewPCG(seed, 0)), 2000)
	var recording bytes.Buffer
	for i, text := range texts {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&recording, `{"message_id":"m%d","publisher_id":"volume.cloud1","priority":"INFO","event_type":"volume.conformance.parse",`+
			`"timestamp":"2026-11-23 10:00:00.000000","payload":{"tenant_id":"p1","user_id":"u1","value":%s}}`+"\n", i, quoted)
	}
	var tables strings.Builder
	for name := range modules {
		fmt.Fprintf(&tables, "[plugin.%s]\ntopics = [\"*\"]\n", name)
	}
	config := filepath.Join(t.TempDir(), "router.toml")
	if err := os.WriteFile(config, []byte(tables.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	answers := make(map[string][]string)
	for name, module := range modules {
		run := exec.Command(binary, "plugin", "run", "--config-file", config, "--output", "json", module, "-")
		run.Stdin = bytes.NewReader(recording.Bytes())
		out, err := run.Output()
		answers[name] = strings.Split(strings.TrimSpace(string(out)), "\n")
		// Exit code 1 says that emissions were dropped: of names with control characters.
		var failed *exec.ExitError
		if err != nil && !(errors.As(err, &failed) && failed.ExitCode() == 1) || len(answers[name]) != len(texts) {
			t.Fatalf("%s: %d answers to %d notifications, %v (seed %d)", name, len(answers[name]), len(texts), err, seed)
		}
	}
	for i, text := range texts {
		for name := range modules {
			if got, want := said(t, answers[name][i]), said(t, answers["go"][i]); !reflect.DeepEqual(got, want) {
				t.Errorf("of %q, %s makes\n%v, but go\n%v (seed %d)", text, name, got, want, seed)
			}
		}
	}
}

// tampered are JSON texts of which some characters are missing, too many, or
// others.
func tampered(random *rand.Rand, n int) []string {
	whole := []string{
		`{"a":1,"b":[true,false,null,"x\u00e9\ud83d\ude00\n"],"c":{"d":-1.5e-3}}`, `[1,2,[3,{"k":"v"}]]`, `"\ud83d\ud83d\ude00 \ude00z"`,
		`{"":"","\u0061":{}}`, `[ 0 , -0 , 1E5 , 123456789012345678901 ]`, `9223372036854775808`, `"plain é ☃ 😀 text \\ \/"`,
	}
	others := []rune(`{}[]",:\u0123eE+-.tfn aé😀` + "\n\t")
	texts := make([]string, n)
	for i := range texts {
		text := []rune(whole[random.IntN(len(whole))])
		for range random.IntN(4) {
			at, other := random.IntN(len(text)), others[random.IntN(len(others))]
			switch random.IntN(3) {
			case 0:
				text = slices.Delete(text, at, min(at+1, len(text)-1))
			case 1:
				text = slices.Insert(text, at, other)
			default:
				text[at] = other
			}
		}
		texts[i] = string(text)
	}
	return texts
}

// said is what a plugin emitted, and how much of it was dropped, by a line of
// `plugin run`.
func said(t *testing.T, line string) any {
	t.Helper()
	var answer struct {
		Emissions any
		Dropped   int
	}
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return answer
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

// TestTwoAllocators runs plugins that have memory of their own beside the SDK's,
// for several events, within the memory that a plugin gets.
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
			if err := os.WriteFile(config, []byte("[plugin.allocators]\nfuel = 2_000_000_000\ntopics = [\"x\"]\n"), 0o600); err != nil {
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

// must runs a command that has to succeed, and returns what it prints.
func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
