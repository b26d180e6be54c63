package plugintool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

func newBench(o *options) *cobra.Command {
	var lasting time.Duration
	cmd := &cobra.Command{
		Use:   "bench FILE.wasm NOTIFICATIONS.jsonl",
		Short: "Measure what a plugin costs per notification",
		Long: `Measure what a plugin costs per recorded notification that it asked for: time, fuel,
emissions, and allocations of the router. NOTIFICATIONS is as in plugin run. Fuel is the
same on every machine, the other figures are not.`,
		Example: "  horizon-realtime plugin bench --time 5s 50-volumes.wasm recorded.jsonl",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lasting <= 0 || lasting > time.Hour {
				return cli.Mistake("--time %s: more than 0, at most 1h", lasting)
			}
			setup, err := o.setup(cmd)
			if err != nil {
				return err
			}
			in, err := OpenRecording(args[1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			trial, err := loadTrial(cmd.Context(), args[0], "", setup)
			if err != nil {
				return err
			}
			defer trial.Close()
			m, err := trial.Bench(cmd.Context(), in, lasting)
			if err != nil {
				return fmt.Errorf("measure on %s: %w", args[1], err)
			}
			out := cmd.OutOrStdout()
			return o.print(out, m, func() { printMeasurement(out, m) })
		},
	}
	cmd.Flags().DurationVar(&lasting, "time", time.Second, "how long to measure, roughly")
	return cmd
}

func printMeasurement(out io.Writer, m *Measurement) {
	fmt.Fprintf(out, "%s, %d heard, %d calls timed\n", counted(m.Notifications, "notification"), m.Heard, m.Samples)
	fmt.Fprintf(out, "%-12s %10s %10s %10s %10s\n", "each", "mean", "p50", "p99", "max")
	for _, row := range []struct {
		what string
		Spread
	}{{"ns", m.Nanoseconds}, {"fuel", m.Fuel}} {
		fmt.Fprintf(out, "%-12s %10.0f %10.0f %10.0f %10.0f\n", row.what, row.Mean, row.P50, row.P99, row.Max)
	}
	fmt.Fprintf(out, "reading the clock takes %.0f of the ns; of the fuel limit of %d, the dearest call took %.3g %%\n",
		m.Clock, m.FuelLimit, 100*m.Fuel.Max/float64(m.FuelLimit))
	if m.Isolation > 0 {
		fmt.Fprintf(out, "isolation adds %.0f ns to a call after one for another project; the grant shared saves them\n", m.Isolation)
	}
	fmt.Fprintf(out, "%.2f emissions, %.2f allocations by the router (%.0f bytes)\n", m.Emissions, m.HostAllocations, m.HostBytes)
}

// maxBenchBytes bounds the notifications that a measurement keeps in memory.
const maxBenchBytes = 64 << 20

// Measurement is what a plugin costs per notification that it asked for.
type Measurement struct {
	// Notifications is how many were read, Heard how many of them the plugin
	// asked for, Samples how many calls were timed.
	Notifications int `json:"notifications"`
	Heard         int `json:"heard"`
	Samples       int `json:"samples"`
	// Nanoseconds per notification, from the router's match to its last
	// emission taken. Reading the clock is included, and takes Clock.
	Nanoseconds Spread  `json:"nanoseconds"`
	Clock       float64 `json:"clock_nanoseconds"`
	// Isolation is how many nanoseconds more a call takes if the one before was for
	// another project.
	Isolation float64 `json:"isolation_nanoseconds"`
	// Fuel per notification, in units, and the limit.
	Fuel      Spread `json:"fuel"`
	FuelLimit int64  `json:"fuel_limit"`
	// Emissions, and allocations on the router's own heap, per notification.
	Emissions       float64 `json:"emissions"`
	HostAllocations float64 `json:"host_allocations"`
	HostBytes       float64 `json:"host_bytes"`
}

// Spread summarizes samples.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// spreadOf sorts the samples.
func spreadOf(samples []float64) Spread {
	slices.Sort(samples)
	sum := 0.0
	for _, v := range samples {
		sum += v
	}
	n := len(samples)
	return Spread{Mean: sum / float64(n), P50: samples[n/2], P99: samples[n*99/100], Max: samples[n-1]}
}

// Bench measures the plugin on a recording's notifications, for about the given
// time.
//
// # Errors
//
// The recording cannot be read or decoded, or is too large; the plugin asked for
// none of it; or a call failed, which makes no sense to measure.
func (t *Trial) Bench(ctx context.Context, recording io.Reader, lasting time.Duration) (*Measurement, error) {
	m := &Measurement{FuelLimit: t.Status().FuelLimit}
	var heard []*event.Notification
	var fuels []float64
	emissions, size := 0, 0
	decoder := oslo.NewDecoder(oslo.DefaultConfig())
	before, err := t.fuel()
	if err != nil {
		return nil, err
	}
	err = readMessages(recording, func(message Message) error {
		if size += len(message.Body); size > maxBenchBytes {
			return fmt.Errorf("the recording is over the limit of %d bytes; measure on a part of it", maxBenchBytes)
		}
		n := new(event.Notification)
		if err := decoder.Decode(n, message.Body, message.Compression); err != nil {
			return fmt.Errorf("the router does not take the notification: %w", err)
		}
		m.Notifications++
		a := t.Send(ctx, n)
		if a.Fault != "" {
			return errors.New(a.Fault)
		}
		if !a.Called {
			return nil
		}
		after, err := t.fuel()
		heard, fuels = append(heard, n), append(fuels, after-before)
		before = after
		emissions += len(a.Emissions)
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return nil, err
	}
	if m.Heard = len(heard); m.Heard == 0 {
		return nil, fmt.Errorf("the plugin asked for none of the %d notifications; it hears %v", m.Notifications, t.Status().On)
	}
	m.Fuel, m.Emissions = spreadOf(fuels), float64(emissions)/float64(m.Heard)
	return m, t.time(ctx, m, heard, lasting)
}

// maxSamples bounds what is kept of a measurement.
const maxSamples = 1 << 20

// time sends the notifications again and again, and times each.
func (t *Trial) time(ctx context.Context, m *Measurement, heard []*event.Notification, lasting time.Duration) error {
	samples := make([]float64, 0, maxSamples)
	discard := func(plugin.Emission) {}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for end := time.Now().Add(lasting); len(samples)+len(heard) <= maxSamples || len(samples) == 0; {
		for _, n := range heard[:min(len(heard), maxSamples)] {
			began := time.Now()
			outcome := t.worker.Handle(ctx, n, discard)
			samples = append(samples, float64(time.Since(began)))
			if outcome.Faults > 0 {
				return errors.New(t.notes.fault)
			}
		}
		t.notes.take()
		if time.Now().After(end) || ctx.Err() != nil {
			break
		}
	}
	runtime.ReadMemStats(&after)
	m.Samples = len(samples)
	m.HostAllocations = float64(after.Mallocs-before.Mallocs) / float64(len(samples))
	m.HostBytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(len(samples))
	m.Nanoseconds = spreadOf(samples)
	clock := make([]float64, 1000)
	for i := range clock {
		began := time.Now()
		clock[i] = float64(time.Since(began))
	}
	m.Clock = spreadOf(clock).P50
	m.Isolation = t.isolation(ctx, heard[0])
	return ctx.Err()
}

// isolation sends a notification for two projects by turns, twice for each, and
// compares the first call for a project with the second.
func (t *Trial) isolation(ctx context.Context, n *event.Notification) float64 {
	const turns = 200
	project := n.Project
	defer func() { n.Project = project }()
	var times [2][]float64
	for i := range 4 * turns {
		n.Project = [...]string{"one", "two"}[i/2%2]
		began := time.Now()
		t.worker.Handle(ctx, n, func(plugin.Emission) {})
		times[i%2] = append(times[i%2], float64(time.Since(began)))
		t.notes.take()
	}
	return max(spreadOf(times[0]).P50-spreadOf(times[1]).P50, 0)
}
