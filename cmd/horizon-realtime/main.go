// Command horizon-realtime makes OpenStack's Horizon live: it takes the
// services' notifications from RabbitMQ, runs each through WebAssembly plugins,
// and pushes what they make of it to the browsers that may see it.
//
// One file per verb; those of `plugin` are in plugintool. main only chooses the
// verb, so that tests start the same program.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/plugintool"
)

// version is set by the build.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	code := cli.Execute(ctx, newRoot(), os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func newRoot() *cobra.Command {
	o := &cli.Options{}
	root := cli.Root(o, newRun(o), newDemo(o), newCheck(o), newDoctor(o), newReplay(o), plugintool.New(o), newVersion())
	root.Short = "Live updates for OpenStack's Horizon"
	root.Long = `horizon-realtime takes OpenStack's notifications from RabbitMQ, runs each through
sandboxed WebAssembly plugins, and pushes the results to Horizon's panels.

  horizon-realtime demo     see it work, without a cloud
  horizon-realtime check    check router.toml and the plugins
  horizon-realtime doctor   check the brokers, Keystone and the router
  horizon-realtime run      run the router

Exit codes: 0 all went well, 1 it failed, 2 the command line is wrong, 3 the
configuration is wrong.`
	return root
}
