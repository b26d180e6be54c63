package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// runner runs the tests of packages with a mutated file in them.
type runner struct {
	// dir takes the mutated file and the overlay.
	dir   string
	limit time.Duration
	// sound are the packages whose tests pass as the code is.
	sound map[string]bool
}

// try runs the tests of a mutant's package and says which failed first, nothing
// if they all passed.
//
// # Errors
//
// The tests fail without the mutant as well, or do not compile with it.
func (r *runner) try(ctx context.Context, m mutant) (caught string, err error) {
	if !r.sound[m.pkg()] {
		began := time.Now()
		if out, err := r.test(ctx, m.pkg(), ""); err != nil {
			return "", fmt.Errorf("the tests fail without the mutant: %w\n%s", err, end(out))
		}
		r.sound[m.pkg()] = true
		fmt.Printf("%5.1fs  %s as it is\n", time.Since(began).Seconds(), m.pkg())
	}
	overlay, err := r.overlay(m)
	if err != nil {
		return "", err
	}
	out, err := r.test(ctx, m.pkg(), overlay)
	switch {
	case err == nil:
		return "", nil
	case notCompiled.Match(out):
		return "", fmt.Errorf("the mutant does not compile\n%s", end(out))
	}
	if found := failed.FindSubmatch(out); found != nil {
		return string(found[1]), nil
	}
	return "the tests crashed", nil
}

var (
	notCompiled = regexp.MustCompile(`\[(build|setup) failed\]`)
	// failed finds the test that failed, or, after a panic, that was running.
	failed = regexp.MustCompile(`(?m)^\s*(?:--- FAIL: (\S+)|panic: (test timed out))`)
)

// end is the last of what go test said.
func end(out []byte) []byte { return out[max(0, len(out)-2000):] }

// overlay writes the mutated file, and the file that tells go test to read it.
func (r *runner) overlay(m mutant) (string, error) {
	file, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(r.dir, filepath.Base(m.File))
	if err := os.WriteFile(mutated, []byte(m.mutated), 0o600); err != nil {
		return "", fmt.Errorf("write the mutated file: %w", err)
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{file: mutated}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(r.dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// test runs a package's tests, at most for the limit.
func (r *runner) test(ctx context.Context, pkg, overlay string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-failfast", "-count=1", "-timeout="+r.limit.String(), "-overlay="+overlay, pkg)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.Bytes(), err
}
