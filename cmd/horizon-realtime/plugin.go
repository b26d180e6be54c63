package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/workshop"
	"horizon-realtime/router"
)

// pluginOptions are the flags that every verb of `plugin` takes.
type pluginOptions struct {
	*options
	output string
	// printed tells whether there is a result on standard output already.
	printed bool
}

func newPlugin(o *options) *cobra.Command {
	p := &pluginOptions{options: o}
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Write filters: make, build, test, inspect, measure, try and sign them",
		Long: `Write filters, without a cloud and without a network. What a filter does is found
out in the router's own plugin host, with the limits of [plugins] and the filter's
table [plugin.X] where there is a router.toml, and with the defaults where there is
none. docs/writing-plugins.md is a tutorial.`,
		Example: `  horizon-realtime plugin new volumes
  cd volumes
  horizon-realtime plugin build
  horizon-realtime plugin test`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no command %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&p.output, "output", "text", `"text" for people, "json" for programs`)
	cmd.AddCommand(newPluginNew(p), newPluginUpdate(p), newPluginBuild(p), newPluginTest(p), newPluginInspect(p),
		newPluginRun(p), newPluginBench(p), newPluginKeygen(p), newPluginSign(p))
	for _, verb := range cmd.Commands() {
		verb.Args = usageArgs(verb.Args)
		run := verb.RunE
		verb.RunE = func(cmd *cobra.Command, args []string) error {
			if p.output != "text" && p.output != "json" {
				return &usageError{fmt.Errorf(`--output %s: it is "text" or "json"`, p.output)}
			}
			err := run(cmd, args)
			if err != nil && p.json() && !p.printed {
				return errors.Join(err, p.print(cmd.OutOrStdout(), failed{err.Error()}, nil))
			}
			return err
		}
	}
	return cmd
}

// failed is what a program reads of a verb that has no result.
type failed struct {
	Error string `json:"error"`
}

// json tells whether a program reads the output.
func (p *pluginOptions) json() bool { return p.output == "json" }

// print writes a result: as JSON, or as text does.
func (p *pluginOptions) print(out io.Writer, result any, text func()) error {
	if !p.json() {
		text()
		return nil
	}
	p.printed = true
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// setup is what a router would give the filter: the configuration file's
// answer, or the defaults where nobody named one and there is none.
func (p *pluginOptions) setup(cmd *cobra.Command) (workshop.Setup, error) {
	cfg, err := router.LoadConfig(p.configFile)
	if errors.Is(err, fs.ErrNotExist) && !cmd.Flags().Changed("config-file") {
		cfg, err = router.DefaultConfig(), nil
	}
	return workshop.Setup{Plugins: cfg.Plugins, Tables: cfg.Plugin}, err
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
