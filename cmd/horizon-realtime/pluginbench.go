package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/workshop"
)

func newPluginBench(p *pluginOptions) *cobra.Command {
	var lasting time.Duration
	cmd := &cobra.Command{
		Use:   "bench FILE.wasm NOTIFICATIONS.jsonl",
		Short: "Measure what a filter costs for each notification",
		Long: `Measure what a filter costs for each recorded notification that it asked for: time,
fuel, emissions, and allocations of the router. NOTIFICATIONS is as in plugin run. The
figures hold for this machine; fuel is the same on every one.`,
		Example: "  horizon-realtime plugin bench --time 5s 50-volumes.wasm recorded.jsonl",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lasting <= 0 || lasting > time.Hour {
				return &usageError{fmt.Errorf("--time %s: more than 0, at most 1h", lasting)}
			}
			setup, err := p.setup(cmd)
			if err != nil {
				return err
			}
			in, err := openRecording(args[1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			trial, err := workshop.Load(cmd.Context(), args[0], "", setup)
			if err != nil {
				return err
			}
			defer trial.Close()
			m, err := trial.Bench(cmd.Context(), in, lasting)
			if err != nil {
				return fmt.Errorf("measure on %s: %w", args[1], err)
			}
			out := cmd.OutOrStdout()
			return p.print(out, m, func() { printMeasurement(out, m) })
		},
	}
	cmd.Flags().DurationVar(&lasting, "time", time.Second, "about how long to measure")
	return cmd
}

func printMeasurement(out io.Writer, m *workshop.Measurement) {
	fmt.Fprintf(out, "%s, %d heard, %d calls timed\n", counted(m.Notifications, "notification"), m.Heard, m.Samples)
	fmt.Fprintf(out, "%-12s %10s %10s %10s %10s\n", "each", "mean", "p50", "p99", "max")
	for _, row := range []struct {
		what string
		workshop.Spread
	}{{"ns", m.Nanoseconds}, {"fuel", m.Fuel}} {
		fmt.Fprintf(out, "%-12s %10.0f %10.0f %10.0f %10.0f\n", row.what, row.Mean, row.P50, row.P99, row.Max)
	}
	fmt.Fprintf(out, "of the ns, %.0f are the clock's; of the fuel, %d may be taken: the dearest call took %.3g %%\n",
		m.Clock, m.FuelLimit, 100*m.Fuel.Max/float64(m.FuelLimit))
	fmt.Fprintf(out, "%.2f emissions, %.2f allocations of the router (%.0f bytes)\n", m.Emissions, m.HostAllocations, m.HostBytes)
}
