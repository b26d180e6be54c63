package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/plugins"
	"horizon-realtime/router/plugin"
)

// What an operator may have to wait for.
const (
	firstStart = 1500 * time.Millisecond
	laterStart = 150 * time.Millisecond
)

// stockStart measures how long the stock plugins take to come up on two cores:
// the first time, when they are rewritten and compiled, and from the cache. The
// quickest of three counts: other work on the machine can only make one slower.
func stockStart() ([]result, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var first, later []time.Duration
	for range size(3, 1) {
		cache, err := os.MkdirTemp("", "bench-start")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(cache)
		for _, into := range []*[]time.Duration{&first, &later} {
			took, err := startOnce(cache)
			if err != nil {
				return nil, err
			}
			*into = append(*into, took)
		}
	}
	title := func(how string, goal time.Duration) string {
		return fmt.Sprintf("start of %d stock plugins, %s, two cores (goal %s)", stockCount, how, goal)
	}
	return []result{
		row(title("the first time", firstStart), "s", slices.Min(first).Seconds(), firstStart.Seconds(), "the goal"),
		row(title("from the cache", laterStart), "s", slices.Min(later).Seconds(), laterStart.Seconds(), "the goal"),
	}, nil
}

// startOnce brings the stock plugins up, until each is ready for a notification.
func startOnce(cache string) (time.Duration, error) {
	empty, err := emptyDir()
	if err != nil {
		return 0, err
	}
	cfg := plugin.DefaultConfig()
	cfg.Dir, cfg.CacheDir, cfg.Stock = empty, cache, plugins.Stock
	begin := time.Now()
	host, err := plugin.New(cfg, map[string]plugin.Settings{}, slog.New(slog.NewTextHandler(io.Discard, nil)), prometheus.NewRegistry())
	if err != nil {
		return 0, err
	}
	defer host.Close()
	if err := load(host, stockCount); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}
