package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/workshop"
	"horizon-realtime/sdk/abi"
)

func newPluginNew(p *pluginOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "new NAME",
		Short: "Make the folder of a new filter, ready to build",
		Long: `Make the folder NAME with a filter in it, its test, a golden case, recorded
notifications, and the SDK that matches this program, so that building it takes Go and
no network. NAME may have folders before it. Nothing is overwritten.`,
		Example: "  horizon-realtime plugin new volumes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := workshop.Create(args[0])
			if errors.Is(err, workshop.ErrName) {
				return &usageError{err}
			}
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				Dir   string   `json:"dir"`
				ABI   int      `json:"abi"`
				Files []string `json:"files"`
			}{args[0], abi.Version, files}
			return p.print(out, result, func() {
				fmt.Fprintf(out, "made %s:", args[0])
				for _, file := range files {
					fmt.Fprintf(out, " %s", file)
				}
				fmt.Fprintf(out, ", and the SDK (plugin ABI %d)\n\n  cd %s\n  horizon-realtime plugin build\n  horizon-realtime plugin test\n", abi.Version, args[0])
			})
		},
	}
}

func newPluginUpdate(p *pluginOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "update [DIR]",
		Short: "Replace the SDK in a filter's folder by this program's",
		Long: `Replace DIR/horizon-realtime, the SDK that plugin new wrote, by the one that matches
this program. The filter's own files stay as they are.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := folder(args)
			if err := workshop.Update(dir); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				Dir string `json:"dir"`
				ABI int    `json:"abi"`
			}{dir, abi.Version}
			return p.print(out, result, func() { fmt.Fprintf(out, "the SDK in %s is this program's: plugin ABI %d\n", dir, abi.Version) })
		},
	}
}

// folder is the argument DIR, by default the one we are in.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}
