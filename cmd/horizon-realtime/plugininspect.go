package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/workshop"
)

func newPluginInspect(p *pluginOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE.wasm",
		Short: "Say what a filter asks for, what it is made of, and whether a router admits it",
		Long: `Say what a filter asks for, what it is made of, and whether a router with this
configuration admits it. Exit code 1 says that it would not.`,
		Example: "  horizon-realtime plugin inspect --output json 50-volumes.wasm",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			setup, err := p.setup(cmd)
			if err != nil {
				return err
			}
			setup.Signed = true
			found, err := workshop.Inspect(cmd.Context(), args[0], "", setup)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if err := p.print(out, found, func() { printInspection(out, found) }); err != nil {
				return err
			}
			return found.Refusal()
		},
	}
}

func printInspection(out io.Writer, i *workshop.Inspection) {
	verdict := "admitted"
	if !i.Admitted {
		verdict = "refused"
	}
	fmt.Fprintf(out, "%s: %s, %s\n", i.File, sized(i.Bytes), verdict)
	fmt.Fprintf(out, "  name     %s, table [plugin.%s]\n", i.Name, i.Name)
	fmt.Fprintf(out, "  sha256   %s\n", i.SHA256)
	signed := "no"
	if i.Signed {
		signed = "yes"
	}
	fmt.Fprintf(out, "  signed   %s\n", signed)
	if i.ABI > 0 {
		fmt.Fprintf(out, "  abi      %d\n", i.ABI)
	} else {
		fmt.Fprintf(out, "  abi      none\n")
	}
	printSubscription(out, i)
	if i.Admitted {
		fmt.Fprintf(out, "  grants   %s\n", orNone(i.Grants))
		fmt.Fprintf(out, "  fuel     %d units a call at most\n", i.FuelLimit)
		fmt.Fprintf(out, "  memory   %s at the start, %s at most\n", sized(i.MemoryBytes), sized(i.MemoryLimitBytes))
	}
	fmt.Fprintf(out, "  code     %s, %s\n", counted(i.Functions, "function"), sized(int64(i.CodeBytes)))
	for _, each := range []struct {
		what string
		list []string
	}{{"imports", i.Imports}, {"exports", i.Exports}} {
		for n, text := range each.list {
			what := each.what
			if n > 0 {
				what = ""
			}
			fmt.Fprintf(out, "  %-8s %s\n", what, text)
		}
	}
	for _, line := range i.Said {
		fmt.Fprintf(out, "  it said  %s: %s\n", line.Level, line.Text)
	}
}

// printSubscription prints what a filter asked for.
func printSubscription(out io.Writer, i *workshop.Inspection) {
	if i.Admitted {
		fmt.Fprintf(out, "  hears    %s\n", orNone(i.On))
		fmt.Fprintf(out, "  wants    %s\n", orNone(i.Wants))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// namesOf cuts the types off, and counts those of WASI, which the toolchain
// brings along.
func namesOf(functions []string) []string {
	var names []string
	wasi := 0
	for _, f := range functions {
		name, _, _ := strings.Cut(f, " ")
		if strings.HasPrefix(name, "wasi_") {
			wasi++
		} else {
			names = append(names, name)
		}
	}
	if wasi > 0 {
		names = append(names, fmt.Sprintf("and %d of WASI", wasi))
	}
	return names
}
