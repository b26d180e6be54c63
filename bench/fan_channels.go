package main

import (
	"fmt"
	"time"
)

// manyChannels measures what a publication costs where each has one subscriber,
// with 10,000 channels and with 100: the hub should not mind how many there are.
// The loop of bare writes says how much of the difference is the kernel's, which
// has 10,000 sockets to keep in its caches as well.
func manyChannels() ([]result, error) {
	const few = 100
	many := size(10_000, 500)
	publications := size(20_000, 500)
	type cost struct{ many, few time.Duration }
	costs := map[string][]cost{}
	for range size(3, 1) {
		for _, name := range []string{"fan-ours", "fan-write"} {
			var c cost
			var err error
			if c.many, err = perPublication(name, many, publications); err != nil {
				return nil, fmt.Errorf("%s, %d channels: %w", name, many, err)
			}
			if c.few, err = perPublication(name, few, publications); err != nil {
				return nil, fmt.Errorf("%s, %d channels: %w", name, few, err)
			}
			costs[name] = append(costs[name], c)
		}
	}
	of := func(name string) (float64, float64) {
		return median(costs[name], func(c cost) float64 { return float64(c.many) }),
			median(costs[name], func(c cost) float64 { return float64(c.few) })
	}
	ours, oursFew := of("fan-ours")
	bare, bareFew := of("fan-write")
	return []result{
		row("CPU per publication, 10,000 channels of one subscriber (goal 1)", "ns", ours, oursFew, "the same with 100 channels"),
		row("CPU per bare write, 10,000 sockets in turn", "ns", bare, bareFew, "the same with 100 sockets"),
	}, nil
}

// perPublication publishes to each of the channels in turn, one client on each.
func perPublication(name string, channels, publications int) (time.Duration, error) {
	server, err := startChild(name)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	var crowd clients
	own := func(i int) string { return fanChannelNumber(i) }
	if err := crowd.dial(server.addr, fanPath, channels, own, inProject(fanProject)); err != nil {
		return 0, err
	}
	defer crowd.close()
	const pace = 250 * time.Microsecond
	run := func(publications int) error {
		have := crowd.delivered.Load()
		if _, err := server.ask("publish %d %d %d %d", publications, fanBytes, pace.Nanoseconds(), channels); err != nil {
			return err
		}
		return crowd.wait(have+int64(publications), 30*time.Second)
	}
	// Every channel once, so that what is made at a first publication is there.
	if err := run(channels); err != nil {
		return 0, err
	}
	before := server.cpu()
	if err := run(publications); err != nil {
		return 0, err
	}
	return (server.cpu() - before) / time.Duration(publications), nil
}
