package main

import (
	"fmt"
	"time"
)

// The load of the fan-out rows: one channel, every client on it, messages of
// this many bytes.
const (
	fanClients = 1000
	fanBytes   = 300
	fanPaced   = 150  // messages, one every fanPace
	fanBurst   = 1500 // messages, as fast as the server takes them
	fanPace    = 40 * time.Millisecond
)

const fanChannel = "project/bench/instances"

// fanCost is what one delivery costs a server: processor time, paced and in
// bursts, and memory for an idle connection.
type fanCost struct {
	paced, burst time.Duration
	rss          float64
}

// fanOut measures the processor time a delivery costs the router's hub and
// server, beside the centrifuge library and a loop of bare writes. The three
// take turns, so that a change of the machine's speed meets them all.
func fanOut() ([]result, error) {
	const rounds = 3
	costs := map[string][]fanCost{}
	for range rounds {
		for _, name := range []string{"fan-ours", "fan-centrifuge", "fan-write"} {
			cost, err := measureFan(name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			costs[name] = append(costs[name], cost)
		}
	}
	paced := func(c fanCost) float64 { return float64(c.paced.Nanoseconds()) }
	burst := func(c fanCost) float64 { return float64(c.burst.Nanoseconds()) }
	rss := func(c fanCost) float64 { return c.rss }
	ours, lib, bare := costs["fan-ours"], costs["fan-centrifuge"], costs["fan-write"]
	return []result{
		row("CPU per delivery, paced, 1,000 clients (goal 0.6)", "ns", median(ours, paced), median(lib, paced), "centrifuge library"),
		row("CPU per delivery, burst, 1,000 clients (goal 0.25)", "ns", median(ours, burst), median(lib, burst), "centrifuge library"),
		row("CPU per delivery, paced, 1,000 clients (goal 1.15)", "ns", median(ours, paced), median(bare, paced), "a loop of bare writes"),
		row("memory per idle connection, 1,000 clients", "bytes", median(ours, rss), median(lib, rss), "centrifuge library"),
	}, nil
}

func measureFan(name string) (cost fanCost, err error) {
	server, err := startChild(name)
	if err != nil {
		return cost, err
	}
	defer server.stop()
	if _, err := server.ask("collect"); err != nil {
		return cost, err
	}
	idle := server.rss()
	var crowd clients
	one := func(string) func(int) string { return func(int) string { return "" } }
	channel := func(int) string { return fanChannel }
	if err := crowd.dial(server.addr, "/realtime/connection/websocket", fanClients, channel, one("")); err != nil {
		return cost, err
	}
	defer crowd.close()
	if _, err := server.ask("collect"); err != nil {
		return cost, err
	}
	cost.rss = float64(server.rss()-idle) / fanClients

	if cost.paced, err = perDelivery(server, &crowd, fanPaced, fanPace); err != nil {
		return cost, fmt.Errorf("paced: %w", err)
	}
	if cost.burst, err = perDelivery(server, &crowd, fanBurst, 0); err != nil {
		return cost, fmt.Errorf("burst: %w", err)
	}
	return cost, nil
}

// perDelivery has the server publish so many messages, waits until every client
// has every one, and divides the processor time.
func perDelivery(server *child, crowd *clients, messages int, pace time.Duration) (time.Duration, error) {
	before, have := server.cpu(), crowd.delivered.Load()
	if _, err := server.ask("publish %d %d %d", messages, fanBytes, pace.Nanoseconds()); err != nil {
		return 0, err
	}
	want := int64(messages * len(crowd.conns))
	if err := crowd.wait(have+want, time.Minute); err != nil {
		return 0, err
	}
	return (server.cpu() - before) / time.Duration(want), nil
}
