package rabbit_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"horizon-realtime/router/rabbit/rabbittest"
)

// node is shared by the tests of the package, which use exchanges and groups of
// their own and do not run in parallel.
var node *rabbittest.Node

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rabbit")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	node, err = rabbittest.New(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := node.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}
