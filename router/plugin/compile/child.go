package compile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"horizon-realtime/router/plugin/guest"
)

// childName is what a process that compiles is called.
const childName = "horizon-realtime: compile"

// Every program that loads plugins is its own compiler, also tests and benchmarks:
// under that name it does nothing else. One that forgot to ask would start itself
// again and again.
func init() {
	if len(os.Args) == 2 && os.Args[0] == childName {
		os.Exit(serve(os.Stdin, os.Stdout))
	}
}

// request precedes the module on the child's standard input, as a line of JSON.
type request struct {
	Options guest.Options `json:"options"`
	Limits  Limits        `json:"limits"`
	Gentle  bool          `json:"gentle"`
	// Size is how many bytes of module follow.
	Size int `json:"size"`
}

// answer is what the child prints.
type answer struct {
	// Refused is a sentence about the module, empty if there is an entry now. Disk
	// says that it is about the folder instead.
	Refused string `json:"refused,omitempty"`
	Disk    bool   `json:"disk,omitempty"`
}

// serve compiles one module, and returns the exit code.
func serve(in io.Reader, out io.Writer) int {
	if err := answerTo(bufio.NewReader(in), out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func answerTo(in *bufio.Reader, out io.Writer) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to compile: %w", err)
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("read what to compile: %w", err)
	}
	runtime.GOMAXPROCS(r.Options.Compilers)
	if err := confine(r.Limits); err != nil {
		return err
	}
	if r.Gentle {
		giveWay()
	}
	// Garbage is collected harder before there is no more memory.
	debug.SetMemoryLimit(r.Limits.Memory / 4 * 3)
	code := make([]byte, r.Size)
	if _, err := io.ReadFull(in, code); err != nil {
		return fmt.Errorf("read what to compile: %w", err)
	}
	var a answer
	if err := build(r, code); err != nil {
		var disk *fs.PathError
		a.Refused, a.Disk = err.Error(), errors.As(err, &disk)
	}
	return json.NewEncoder(out).Encode(a)
}

// build makes the cache's entry.
func build(r request, code []byte) error {
	image, err := guest.Build(context.Background(), code, r.Options)
	if err != nil {
		return err
	}
	if err := store(r.Options.CacheDir, image); err != nil {
		return fmt.Errorf("keep its machine code: %w", err)
	}
	return weigh(r)
}

// weigh loads the entry as the router will, to see what that takes.
func weigh(r request) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := load(r.Options.CacheDir, r.Options)
	if err != nil {
		return fmt.Errorf("it was compiled, but cannot be loaded: %w", err)
	}
	defer m.Close()
	runtime.ReadMemStats(&after)
	takes := int64(after.TotalAlloc - before.TotalAlloc)
	machine, err := filepath.Glob(filepath.Join(r.Options.CacheDir, "*", "*"))
	if err != nil {
		return err
	}
	for _, path := range machine {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("measure its machine code: %w", err)
		}
		takes += info.Size()
	}
	if takes > r.Limits.Loaded {
		return fmt.Errorf("compiled it would take %d MB in the router, over the limit of %d MB; build it smaller, or raise [plugins] compiled_bytes", takes>>20, r.Limits.Loaded>>20)
	}
	return nil
}
