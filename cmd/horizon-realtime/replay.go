package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/plugintool"
	"horizon-realtime/router/rabbit"
)

func newReplay(o *cli.Options) *cobra.Command {
	var url, rate string
	var speed float64
	var declare bool
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Publish recorded notifications to a broker, as the services do",
		Long: `Publish recorded notifications to RabbitMQ, as the services do. FILE has one JSON
object per line: exchange, routing_key, properties, headers, and body as a string. It
may be compressed with gzip, and "-" is standard input. The broker is --url, or the
first of [amqp] urls. The broker confirms each message.`,
		Example: `  horizon-realtime replay --rate 100 recorded.jsonl
  horizon-realtime replay --speed 10 --declare --url amqp://guest:guest@localhost/ recorded.jsonl.gz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := replayConfig(o, url, rate, speed, declare)
			if err != nil {
				return err
			}
			in, err := plugintool.OpenRecording(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			return replay(cmd.Context(), cfg, in, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&url, "url", "", "the broker, instead of the first of [amqp] urls")
	cmd.Flags().StringVar(&rate, "rate", "", `notifications per second, or "max" (the default)`)
	cmd.Flags().Float64Var(&speed, "speed", 0, "instead of a rate, how many recorded seconds pass per second: 1 is the original speed")
	cmd.Flags().BoolVar(&declare, "declare", false, "declare exchanges that are missing, as services do")
	return cmd
}

func replayConfig(o *cli.Options, url, rate string, speed float64, declare bool) (cfg rabbit.ReplayConfig, err error) {
	cfg = rabbit.ReplayConfig{URL: url, Speed: speed, Declare: declare}
	if speed < 0 || speed > 0 && rate != "" {
		return cfg, cli.Mistake("--speed %v: more than 0, and not together with --rate", speed)
	}
	if rate != "" && rate != "max" {
		if cfg.Rate, err = strconv.ParseFloat(rate, 64); err != nil || !(cfg.Rate > 0) {
			return cfg, cli.Mistake(`--rate %s: a number more than 0, or "max"`, rate)
		}
	}
	if url != "" {
		return cfg, nil
	}
	all, err := o.Load()
	if err != nil {
		return cfg, fmt.Errorf("no --url was given: %w", err)
	}
	if len(all.AMQP.URLs) == 0 {
		return cfg, cli.Mistake("name a broker with --url, or in [amqp] urls of %s", o.ConfigFile)
	}
	cfg.URL, cfg.TLS = all.AMQP.URLs[0], all.AMQP.TLS
	return cfg, nil
}

// replay publishes, and prints its progress every few seconds and at the end.
func replay(ctx context.Context, cfg rabbit.ReplayConfig, in io.Reader, out io.Writer) error {
	next := time.Now().Add(5 * time.Second)
	report, err := rabbit.Replay(ctx, cfg, in, func(r rabbit.ReplayReport) {
		if time.Now().After(next) {
			fmt.Fprintf(out, "published %d\n", r.Published)
			next = time.Now().Add(5 * time.Second)
		}
	})
	var by []string
	for exchange, n := range report.Exchanges {
		by = append(by, fmt.Sprintf("%s %d", exchange, n))
	}
	slices.Sort(by)
	fmt.Fprintf(out, "published %d notifications, confirmed %d, %d bytes in %s: %s\n", report.Published, report.Confirmed,
		report.Bytes, report.Elapsed.Round(time.Millisecond), strings.Join(by, ", "))
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}
