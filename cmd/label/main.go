// Command label writes a name and a version into a module, as `horizon-realtime plugin
// label` does. The Makefile calls it for the stock plugins, which the program carries,
// and which are therefore made before the program is.
package main

import (
	"fmt"
	"os"

	"horizon-realtime/router/plugin/label"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "label:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("it wants a file, a name and a version, and was given %q", args)
	}
	l := label.Label{Name: args[1], Version: args[2]}
	if err := l.Check(); err != nil {
		return err
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], label.Put(module, l), 0o644)
}
