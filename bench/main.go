package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

// rows are the measurements, in the order of the table. Each returns its rows
// in full or an error.
var rows = []struct {
	name    string
	measure func() ([]result, error)
}{
	{"fan-out", fanOut},
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		serve, ok := children[os.Args[2]]
		if !ok {
			fail(fmt.Errorf("no child %q", os.Args[2]))
		}
		fail(serve(os.Args[3:]))
		return
	}
	out := flag.String("out", "", "write the rows as JSON to this file too")
	only := flag.String("run", "", "measure only what matches this regular expression")
	flag.Parse()
	match, err := regexp.Compile(*only)
	fail(err)
	var results []result
	for _, r := range rows {
		if !match.MatchString(r.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring", r.name)
		got, err := r.measure()
		if err != nil {
			fail(fmt.Errorf("%s: %w", r.name, err))
		}
		results = append(results, got...)
	}
	writeTable(os.Stdout, results)
	if *out != "" {
		fail(writeJSON(*out, results))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
