// Command coverage writes docs/coverage.md, which shows an operator how much of
// each Horizon panel is live. It reads the plugins' golden cases, what the compiled
// plugins ask for, and two tables: services.toml, what the services announce, and
// panels.toml, what Horizon shows. Its tests compare these with each other and with
// everything that was recorded from a real cloud, and check that the stock plugins
// leak nothing.
//
//	make plugins && go run ./cmd/coverage > docs/coverage.md
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	page, err := makePage(context.Background(), ".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
	os.Stdout.Write(page)
}

// makePage makes the page of the source tree at root.
//
// # Errors
//
// A table or a golden case cannot be read or contradicts another, or the plugins
// have not been built.
func makePage(ctx context.Context, root string) ([]byte, error) {
	services, err := readServices()
	if err != nil {
		return nil, err
	}
	cases, err := readCases(root)
	if err != nil {
		return nil, err
	}
	plugins, err := open(ctx, root)
	if err != nil {
		return nil, err
	}
	defer plugins.close()
	panels, err := readPanels()
	if err != nil {
		return nil, err
	}
	return write(services, panels, cases, plugins.host.Status())
}
