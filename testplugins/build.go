// Package testplugins is a collection of plugins that misbehave, one folder a
// misbehaviour, and builds them.
//
// In: the name of a folder, with `plugin.wat` or a Go program in it, or nothing
// where the module is generated. Out: the module's bytes. Each folder's
// expect.txt says in words what the plugin does, and then, exactly, what becomes
// of it. Callers: the test of this package, which runs each between two healthy
// neighbours, and whoever wants to try a router.
package testplugins

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Names lists the folders under dir, which is this package's.
//
// # Errors
//
// The folder cannot be read.
func Names(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "expect.txt"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = filepath.Base(filepath.Dir(f))
	}
	slices.Sort(names)
	return names, nil
}

// Build makes the module of the folder name under dir. Text is assembled by
// wat2wasm (Debian's wabt), Go built by the go command.
//
// # Errors
//
// The tool is missing, or does not accept the source.
func Build(dir, name string) ([]byte, error) {
	if bombs[name] != nil {
		return bomb(dir, name)
	}
	switch name {
	case "many-functions":
		return manyFunctions(dir)
	case "truncated":
		return truncated(dir)
	case "selftest-fails":
		return failingSelfTest(dir)
	case "not-wasm":
		return []byte("It was a dark and stormy night.\n"), nil
	}
	source := filepath.Join(dir, name, "plugin.wat")
	text, err := os.ReadFile(source)
	if os.IsNotExist(err) {
		return buildGo(dir, name)
	}
	if err != nil {
		return nil, err
	}
	return assemble(source, bytes.HasPrefix(text, []byte(";; assembled unchecked\n")))
}

func assemble(source string, unchecked bool) ([]byte, error) {
	args := []string{"--enable-multi-memory", "--enable-threads"}
	if unchecked {
		args = append(args, "--no-check")
	}
	return run(func(out string) *exec.Cmd {
		return exec.Command("wat2wasm", append(args, source, "-o", out)...)
	})
}

func buildGo(dir, name string) ([]byte, error) {
	return run(func(out string) *exec.Cmd {
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./"+name)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		return cmd
	})
}

// run gives what a command writes into the file it is told.
func run(command func(out string) *exec.Cmd) ([]byte, error) {
	dir, err := os.MkdirTemp("", "testplugin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "plugin.wasm")
	cmd := command(out)
	if message, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", cmd.Path, err, message)
	}
	return os.ReadFile(out)
}

// manyFunctions writes 100,000 functions in front of those of a filter.
func manyFunctions(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "endless-loop", "plugin.wat"))
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndexByte(text, ')')
	text = append(text[:end:end], bytes.Repeat([]byte("\n  (func)"), 100_000)...)
	folder, err := os.MkdirTemp("", "testplugin")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	source := filepath.Join(folder, "plugin.wat")
	if err := os.WriteFile(source, append(text, ')'), 0o600); err != nil {
		return nil, err
	}
	return assemble(source, false)
}

// failingSelfTest is a plugin that is well, and says that it would say more.
func failingSelfTest(dir string) ([]byte, error) {
	module, err := Build(dir, "neighbour")
	if err != nil {
		return nil, err
	}
	const content = "\x0chr_selftests" + `[{"about": "it gives a reason", "notification": {"event_type": "compute.instance.update"},
		"emissions": [{"channel": "public/neighbour", "key": "", "payload": {"well": "because"}}]}]`
	section := binary.AppendUvarint([]byte{0}, uint64(len(content)))
	return append(append(module, section...), content...), nil
}

// truncated is a module without its last ten bytes.
func truncated(dir string) ([]byte, error) {
	module, err := Build(dir, "endless-loop")
	if err != nil {
		return nil, err
	}
	return module[:len(module)-10], nil
}
