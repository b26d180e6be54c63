package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// idleCost is what a client that hears nothing costs a server: processor time per
// second, and memory.
type idleCost struct {
	cpu time.Duration
	rss float64
}

// idleClients measures what 5,000 clients cost that are connected, subscribed and
// pinged, while nothing is published.
func idleClients() ([]result, error) {
	costs := map[string]idleCost{}
	for _, name := range []string{"fan-ours", "fan-centrifuge"} { // once each: they take minutes
		cost, err := measureIdle(name, size(5000, 100), time.Duration(size(25, 1))*time.Second)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		costs[name] = cost
	}
	ours, lib := costs["fan-ours"], costs["fan-centrifuge"]
	ns := func(c idleCost) float64 { return float64(c.cpu.Nanoseconds()) }
	return []result{
		row("CPU per second of an idle client, of 5,000", "ns", ns(ours), ns(lib), "centrifuge library"),
		row("CPU per second of an idle client, of 5,000 (goal 1,000 ns)", "ns", ns(ours), 1000, "the goal"),
		row("memory of an idle client, of 5,000, after pings", "bytes", ours.rss, lib.rss, "centrifuge library"),
		row("memory of an idle client, of 5,000, after pings (goal 9 KB)", "bytes", ours.rss, 9000, "the goal"),
	}, nil
}

// measureIdle has clients answer pings for two intervals. Their projects are many, as
// in a cloud.
func measureIdle(name string, n int, ping time.Duration) (cost idleCost, err error) {
	server, err := startChild(name, strconv.Itoa(64<<20), ping.String())
	if err != nil {
		return cost, err
	}
	defer server.stop()
	empty, err := server.settledRSS()
	if err != nil {
		return cost, err
	}
	pinged, pong := []byte("\x81\x02{}"), shortText("{}")
	var crowd clients
	crowd.onPush = func(client int, read []byte) {
		if bytes.Contains(read, pinged) {
			crowd.conns[client].Write(pong)
		}
	}
	project := func(i int) string { return fmt.Sprintf("bench%d", i%200) }
	err = crowd.dial(server.addr, fanPath, n, func(i int) string { return "project/" + project(i) + "/*" },
		func(i int) string { return token(i, project(i)) })
	if err != nil {
		return cost, err
	}
	defer crowd.close()
	time.Sleep(ping) // every client is pinged for the first time before that is over
	before, began := server.cpu(), time.Now()
	time.Sleep(2 * ping)
	seconds := time.Since(began).Seconds() * float64(n)
	cost.cpu = time.Duration(float64(server.cpu()-before) / seconds)
	full, err := server.settledRSS()
	cost.rss = float64(full-empty) / float64(n)
	return cost, err
}
