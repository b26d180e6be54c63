package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// rows are the measurements, in the order of the table. Each returns its rows
// in full or an error.
var rows = []struct {
	name    string
	measure func() ([]result, error)
}{
	{"sandbox", sandbox},
	{"fuel", fuelOverhead},
	{"loaded", loadedPlugins},
	{"stock", stockSet},
	{"start", stockStart},
	{"resident", resident},
	{"throughput", throughput},
	{"latency", latency},
	{"fan-out", fanOut},
	{"crowd", crowdFanOut},
	{"channels", manyChannels},
	{"slow", slowClients},
	{"idle", idleClients},
}

// What the flags say.
var (
	// quick makes every measurement a smoke run of seconds, whose figures mean
	// nothing.
	quick      bool
	binaryPath = "../bin/horizon-realtime"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		serve, ok := children[os.Args[2]]
		if !ok {
			fail(fmt.Errorf("no child %q", os.Args[2]))
		}
		fail(serve(os.Args[3:]))
		return
	}
	out := flag.String("out", "", "write the rows as JSON to this file too, and the table into README.md beside it; with -run, rows that are not measured stay")
	only := flag.String("run", "", "measure only what matches this regular expression")
	flag.BoolVar(&quick, "quick", false, "smoke run: everything once and briefly")
	flag.StringVar(&binaryPath, "binary", binaryPath, "the program, as `make build` leaves it")
	flag.Parse()
	match, err := regexp.Compile(*only)
	fail(err)
	results, err := measure(match.MatchString)
	writeTable(os.Stdout, results)
	if *out != "" {
		if *only != "" {
			kept, readErr := readJSON(*out)
			results, err = replace(kept, results), errors.Join(err, readErr)
		}
		err = errors.Join(err, writeJSON(*out, results), writeMarkdown(filepath.Join(filepath.Dir(*out), "README.md"), results))
	}
	fail(err)
}

// measure takes the rows that are wanted. One that fails leaves the others be.
func measure(wanted func(name string) bool) (results []result, err error) {
	testing.Init()
	if err := flag.Set("test.benchtime", map[bool]string{false: "300ms", true: "20x"}[quick]); err != nil {
		return nil, err
	}
	defer func() {
		if dir, err := cacheDir(); err == nil {
			os.RemoveAll(dir)
		}
	}()
	for _, r := range rows {
		if !wanted(r.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", r.name)
		got, failure := r.measure()
		if failure != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", r.name, failure))
		}
		results = append(results, got...)
	}
	return results, err
}

// size is a number for a full run, or one for a smoke run.
func size(full, smoke int) int {
	if quick {
		return smoke
	}
	return full
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
