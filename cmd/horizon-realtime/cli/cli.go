// Package cli is what every verb of the command line shares: exit codes,
// mistakes on the command line, and the configuration file.
//
// In: arguments. Out: an exit code, with one sentence on standard error if it
// is not 0. Callers: the program's main, and the verbs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/plugins"
	"horizon-realtime/router"
)

// Exit codes. A supervisor restarts after Failure; Usage and Config come back
// until somebody has changed something.
const (
	OK      = 0
	Failure = 1
	Usage   = 2
	Config  = 3
)

// Execute runs a command line and returns the exit code.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return OK
	}
	fmt.Fprintln(stderr, "horizon-realtime:", err)
	var usage *UsageError
	var config *router.ConfigError
	switch {
	case errors.As(err, &usage):
		return Usage
	case errors.As(err, &config), errors.Is(err, errNoConfig):
		return Config
	}
	return Failure
}

// UsageError is a mistake on the command line.
type UsageError struct{ error }

func (e *UsageError) Unwrap() error { return e.error }

// Mistake makes a UsageError, as fmt.Errorf makes an error.
func Mistake(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// Args makes a UsageError of what an argument check finds; without a check, a
// command takes no arguments.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		check = cobra.NoArgs
	}
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		if !cmd.HasSubCommands() {
			_, wants, takes := strings.Cut(cmd.Use, " ")
			if !takes {
				wants = "no arguments"
			}
			err = fmt.Errorf("%s wants %s, and was given %q", cmd.Name(), wants, args)
		}
		return SeeHelp(cmd, err)
	}
}

// Verb checks the arguments of a command that only has others below it: with
// none it prints its help, and any is a verb that does not exist.
func Verb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %q?", near[0])
	}
	return fmt.Errorf("there is no command %q%s", args[0], hint)
}

// SeeHelp makes a UsageError that names the command's help.
func SeeHelp(cmd *cobra.Command, err error) error {
	return Mistake("%w; see '%s --help'", err, cmd.CommandPath())
}

// Root makes the program's command out of its verbs.
func Root(o *Options, verbs ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:                        "horizon-realtime",
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       Args(Verb),
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&o.ConfigFile, "config-file", "router.toml", "the configuration file")
	root.SetFlagErrorFunc(SeeHelp)
	for _, verb := range verbs {
		if !verb.HasSubCommands() {
			verb.Args = Args(verb.Args)
		}
	}
	root.AddCommand(verbs...)
	return root
}

// Options are the flags that every verb takes.
type Options struct{ ConfigFile string }

var errNoConfig = errors.New("no configuration")

// Load reads the configuration that --config-file names.
func (o *Options) Load() (router.Config, error) {
	cfg, err := router.LoadConfig(o.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return cfg, fmt.Errorf("%w: there is no %s; copy router.toml from the source tree, or name yours with --config-file", errNoConfig, o.ConfigFile)
	}
	cfg.Plugins.Stock = plugins.Stock
	return cfg, err
}

// LoadOrDefault is Load for verbs that need no configuration: if nobody named a
// file and there is none, the defaults apply.
func (o *Options) LoadOrDefault(cmd *cobra.Command) (router.Config, error) {
	cfg, err := router.LoadConfig(o.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) && !cmd.Flags().Changed("config-file") {
		cfg, err = router.DefaultConfig(), nil
	}
	cfg.Plugins.Stock = plugins.Stock
	return cfg, err
}
