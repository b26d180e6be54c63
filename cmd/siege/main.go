package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"horizon-realtime/cmd/siege/search"
	"horizon-realtime/testplugins"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "siege:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	p := plan{progress: os.Stderr}
	only := flag.String("only", "", "the plugins to install, comma-separated (default all)")
	write := flag.Bool("write", false, "write the tables into docs/sandbox.md, or those of -strangers into docs/operating.md")
	flag.StringVar(&p.root, "root", ".", "the source tree")
	flag.IntVar(&p.rate, "rate", 1000, "notifications a second")
	flag.DurationVar(&p.watch, "watch", 2*time.Second, "how long each plugin is watched at least")
	flag.IntVar(&p.reloads, "reloads", 0, "how often the stock plugin is replaced under traffic")
	flag.BoolVar(&p.rabbit, "rabbit", true, "send the notifications through a RabbitMQ of its own")
	look := search.Plan{Progress: os.Stderr, Pauses: func() func() time.Duration { return readPauses().longestSince }}
	flag.DurationVar(&look.For, "search", 0, "instead, look for modules that take much time for little fuel, for so long")
	flag.StringVar(&look.Keep, "keep", "", "a folder for the text of the dearest modules found")
	people := strangers{users: 200, progress: os.Stderr}
	byPeople := flag.Bool("strangers", false, "instead, let tenants, users and strangers attack a router with all stock plugins; -only names attacks")
	flag.DurationVar(&people.span, "span", 8*time.Second, "how long each of their attacks goes on")
	flag.Parse()
	if *byPeople {
		people.root, people.rabbit = p.root, p.rabbit
		if *only != "" {
			people.only = strings.Split(*only, ",")
		}
		return siegeByStrangers(ctx, people, *write)
	}
	if look.For > 0 {
		report, err := look.Run(ctx)
		fmt.Print(report)
		return err
	}
	var err error
	if p.names, err = testplugins.Names(filepath.Join(p.root, "testplugins")); err != nil {
		return err
	}
	if *only != "" {
		p.names = strings.Split(*only, ",")
	}
	result, err := p.run(ctx)
	if err != nil {
		return err
	}
	fmt.Print(result.tables())
	if *write {
		if err := writeTables(filepath.Join(p.root, "docs", "sandbox.md"), "-reloads 1000", result.tables()); err != nil {
			return err
		}
	}
	return errors.Join(result.wrong()...)
}

func siegeByStrangers(ctx context.Context, people strangers, write bool) error {
	result, err := people.run(ctx)
	if err != nil {
		return err
	}
	fmt.Print(result.tables())
	if write {
		if err := writeTables(filepath.Join(people.root, "docs", "operating.md"), "-strangers", result.tables()); err != nil {
			return err
		}
	}
	return errors.Join(result.wrong()...)
}
