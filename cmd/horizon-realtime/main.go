// Command horizon-realtime makes OpenStack's Horizon live: it takes the
// services' notifications from RabbitMQ, runs each through WebAssembly filters,
// and pushes what they make of it to the browsers that may see it.
//
// One file a verb. main only chooses the verb and turns its error into an exit
// code, so that tests start the same program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"horizon-realtime/router"
)

// Exit codes. A supervisor restarts on exitFailure; exitUsage and exitConfig
// come back the same until a person has changed something.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 3
)

// version is set by the build.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "horizon-realtime:", err)
	var usage *usageError
	var config *router.ConfigError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &config), errors.Is(err, errNoConfig):
		return exitConfig
	}
	return exitFailure
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

var errNoConfig = errors.New("no configuration")

// options are the flags that every verb takes.
type options struct{ configFile string }

func newRoot() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "horizon-realtime",
		Short: "Live updates for OpenStack's Horizon",
		Long: `horizon-realtime takes OpenStack's notifications from RabbitMQ, runs each through
sandboxed WebAssembly filters, and pushes the results to Horizon's panels.

  horizon-realtime demo     see it work, without a cloud
  horizon-realtime check    read router.toml and the filters, and say what is wrong
  horizon-realtime doctor   try the brokers, Keystone and the router, and say what is wrong
  horizon-realtime run      the router itself

Exit codes: 0 all went well, 1 it failed, 2 the command line is wrong, 3 the
configuration is wrong.`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.NoArgs,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&o.configFile, "config-file", "router.toml", "the configuration")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	})
	root.AddCommand(newRun(o), newDemo(o), newCheck(o), newDoctor(o), newReplay(o), newPlugin(o), newVersion())
	for _, cmd := range root.Commands() {
		cmd.Args = usageArgs(cmd.Args)
	}
	root.Args = usageArgs(func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", near[0])
		}
		return fmt.Errorf("there is no command %q%s", args[0], hint)
	})
	return root
}

// usageArgs marks what an argument check finds as a mistake on the command
// line.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		check = cobra.NoArgs
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			if !cmd.HasSubCommands() {
				_, wants, _ := strings.Cut(cmd.Use+" no arguments", " ")
				wants = strings.TrimSuffix(wants, " no arguments")
				err = fmt.Errorf("%s wants %s, and was given %q", cmd.Name(), wants, args)
			}
			return &usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
		}
		return nil
	}
}

// load reads the configuration that --config-file names.
func (o *options) load() (router.Config, error) {
	cfg, err := router.LoadConfig(o.configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, fmt.Errorf("%w: there is no %s; copy router.toml from the source tree, or name yours with --config-file", errNoConfig, o.configFile)
	}
	return cfg, err
}
