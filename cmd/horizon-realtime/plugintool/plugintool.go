// Package plugintool is what an author of plugins works with: the verbs of
// `horizon-realtime plugin`, one file each, which make a folder for a new
// plugin, build it, try it on golden cases and recorded notifications, measure
// and sign it.
//
// In: folders of Go source, .wasm files, and notifications as files. Out: files,
// and reports for people or programs. Caller: the program's main. A plugin is
// tried in the router's own plugin host (Trial), behind the router's decoder and
// judged by the router's rule for channels, so that nothing here can disagree
// with the router.
package plugintool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
)

// options are the flags that every verb of `plugin` takes.
type options struct {
	*cli.Options
	output string
	// plugin is which one of a bundle is meant.
	plugin string
	// printed reports whether there is a result on standard output already.
	printed bool
}

// New makes the command `plugin` and its verbs.
func New(all *cli.Options) *cobra.Command {
	o := &options{Options: all}
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Write plugins: make, build, test, inspect, measure, try and sign them",
		Long: `Write plugins, without a cloud and without a network. A plugin is tried in the
router's own plugin host, with the limits of [plugins] and the plugin's table
[plugin.X] if there is a router.toml, and with the defaults if there is none.
docs/writing-plugins.md is a tutorial.`,
		Example: `  horizon-realtime plugin new volumes
  cd volumes
  horizon-realtime plugin build
  horizon-realtime plugin test`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.Args(cli.Verb),
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&o.output, "output", "text", `"text" for people, "json" for programs`)
	cmd.PersistentFlags().StringVar(&o.plugin, "plugin", "", "which plugin of a bundle to test, run or measure")
	cmd.AddCommand(newNew(o), newUpdate(o), newBuild(o), newTest(o), newInspect(o),
		newRun(o), newBench(o), newLabel(o), newKeygen(o), newSign(o))
	for _, verb := range cmd.Commands() {
		verb.Args = cli.Args(verb.Args)
		verb.RunE = o.reporting(verb.RunE)
	}
	return cmd
}

// reporting checks --output, and prints an error for programs too if there is
// no other result.
func (o *options) reporting(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if o.output != "text" && o.output != "json" {
			return cli.Mistake(`--output %s: it is "text" or "json"`, o.output)
		}
		err := run(cmd, args)
		if err != nil && o.json() && !o.printed {
			return errors.Join(err, o.print(cmd.OutOrStdout(), failed{err.Error()}, nil))
		}
		return err
	}
}

// failed is what a program reads if a verb has no result.
type failed struct {
	Error string `json:"error"`
}

// json reports whether a program reads the output.
func (o *options) json() bool { return o.output == "json" }

// print writes a result: as JSON, or as text does.
func (o *options) print(out io.Writer, result any, text func()) error {
	if !o.json() {
		text()
		return nil
	}
	o.printed = true
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// setup is what a router would give the plugin.
func (o *options) setup(cmd *cobra.Command) (Setup, error) {
	cfg, err := o.LoadOrDefault(cmd)
	return Setup{Plugins: cfg.Plugins, Tables: cfg.Plugin, Plugin: o.plugin}, err
}

// folder is the argument DIR, by default the current folder.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// sized is a number of bytes as people read it.
func sized(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// counted is a number of things: 1 case, 2 cases.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
