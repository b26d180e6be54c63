// Command mutants checks the tests: it breaks the code in one place at a time, as
// mutants.toml says, and expects the tests of that place's package to fail. A
// mutant that survives is a test that is missing.
//
// In: the source tree, which stays as it is (go test reads the mutated file
// through an overlay). Out: a line per mutant, and exit code 1 if one survived,
// does not compile, or is no longer found in the code. Caller: `make mutants`.
//
//	go run ./cmd/mutants               all of them
//	go run ./cmd/mutants -run 'auth'   those whose name or file matches
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	pattern := flag.String("run", "", "only the mutants whose name or file matches this `regexp`")
	limit := flag.Duration("timeout", 3*time.Minute, "how long the tests of a package may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *pattern, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pattern string, limit time.Duration) error {
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	all, err := read(".")
	if err != nil {
		return err
	}
	var chosen []mutant
	for _, m := range all {
		if wanted.MatchString(m.Name) || wanted.MatchString(m.File) {
			chosen = append(chosen, m)
		}
	}
	r := runner{limit: limit, sound: map[string]bool{}}
	if r.dir, err = os.MkdirTemp("", "horizon-realtime-mutants-"); err != nil {
		return fmt.Errorf("make a folder for the mutated files: %w", err)
	}
	defer os.RemoveAll(r.dir)
	bad := 0
	for _, m := range chosen {
		began := time.Now()
		caught, err := r.try(ctx, m)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			bad++
			caught = "ERROR: " + err.Error()
		case caught == "":
			bad++
			caught = "SURVIVED"
		}
		fmt.Printf("%5.1fs  %-58s %s: %s\n", time.Since(began).Seconds(), m.Name, m.pkg(), caught)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d are not caught; one that survived is a test that is missing", bad, len(chosen))
	}
	fmt.Printf("all %d are caught\n", len(chosen))
	return nil
}
