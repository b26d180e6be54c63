package main

import (
	"fmt"
	"time"
)

// The clients of the fan-out rows listen to one channel, or each to one of its
// own: fanChannel with a number behind it.
const (
	fanProject = "bench"
	fanChannel = "project/" + fanProject + "/instances"
	fanPath    = "/realtime/connection/websocket"
	fanBytes   = 300
)

// fanLoad is what one fan-out measurement does to a server.
type fanLoad struct {
	clients int
	// paced messages, one every pace, then a burst, as fast as the server
	// takes them.
	paced int
	pace  time.Duration
	burst int
}

// fanCost is what one delivery costs a server: processor time, paced and in
// bursts, and memory for an idle connection.
type fanCost struct {
	paced, burst time.Duration
	rss          float64
}

func paced(c fanCost) float64 { return float64(c.paced.Nanoseconds()) }
func burst(c fanCost) float64 { return float64(c.burst.Nanoseconds()) }
func rss(c fanCost) float64   { return c.rss }

// fanOut measures the processor time a delivery costs the router's hub and
// server, beside the centrifuge library and a loop of bare writes.
func fanOut() ([]result, error) {
	load := fanLoad{clients: size(1000, 100), paced: size(150, 20), pace: 40 * time.Millisecond, burst: size(1500, 100)}
	costs, err := compareFans(load)
	if err != nil {
		return nil, err
	}
	ours, lib, bare := costs["fan-ours"], costs["fan-centrifuge"], costs["fan-write"]
	return []result{
		row("CPU per delivery, paced, 1,000 clients (goal 0.6)", "ns", median(ours, paced), median(lib, paced), "centrifuge library"),
		row("CPU per delivery, burst, 1,000 clients (goal 0.25)", "ns", median(ours, burst), median(lib, burst), "centrifuge library"),
		row("CPU per delivery, paced, 1,000 clients (goal 1.15)", "ns", median(ours, paced), median(bare, paced), "a loop of bare writes"),
		row("CPU per delivery, burst, 1,000 clients", "ns", median(ours, burst), median(bare, burst), "a loop of bare writes, one per message"),
	}, nil
}

// crowdFanOut is the same before 10,000 clients, and what each of them takes of
// memory while nothing happens: a JWT, one subscription.
func crowdFanOut() ([]result, error) {
	load := fanLoad{clients: size(10_000, 500), paced: size(20, 5), pace: 300 * time.Millisecond}
	costs, err := compareFans(load)
	if err != nil {
		return nil, err
	}
	ours, lib, bare := costs["fan-ours"], costs["fan-centrifuge"], costs["fan-write"]
	return []result{
		row("CPU per delivery, paced, 10,000 clients (goal 0.6)", "ns", median(ours, paced), median(lib, paced), "centrifuge library"),
		row("CPU per delivery, paced, 10,000 clients (goal 1.15)", "ns", median(ours, paced), median(bare, paced), "a loop of bare writes"),
		row("memory per connection, 10,000 clients", "bytes", median(ours, rss), median(lib, rss), "centrifuge library"),
		row("memory per connection, 10,000 clients (goal 10 KB)", "bytes", median(ours, rss), 10_000, "the goal"),
	}, nil
}

// compareFans measures the three servers, in turns.
func compareFans(load fanLoad) (map[string][]fanCost, error) {
	costs := map[string][]fanCost{}
	for range size(3, 1) {
		for _, name := range []string{"fan-ours", "fan-centrifuge", "fan-write"} {
			cost, err := measureFan(name, load)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			costs[name] = append(costs[name], cost)
		}
	}
	return costs, nil
}

func measureFan(name string, load fanLoad) (cost fanCost, err error) {
	server, err := startChild(name)
	if err != nil {
		return cost, err
	}
	defer server.stop()
	idle, err := server.settledRSS()
	if err != nil {
		return cost, err
	}
	var crowd clients
	if err := crowd.dial(server.addr, fanPath, load.clients, onChannel(fanChannel), inProject(fanProject)); err != nil {
		return cost, err
	}
	defer crowd.close()
	full, err := server.settledRSS()
	if err != nil {
		return cost, err
	}
	cost.rss = float64(full-idle) / float64(load.clients)
	if cost.paced, err = perDelivery(server, &crowd, load.paced, load.pace); err != nil {
		return cost, fmt.Errorf("paced: %w", err)
	}
	if load.burst == 0 {
		return cost, nil
	}
	if cost.burst, err = perDelivery(server, &crowd, load.burst, 0); err != nil {
		return cost, fmt.Errorf("burst: %w", err)
	}
	return cost, nil
}

// onChannel and inProject are the same for every client.
func onChannel(name string) func(int) string { return func(int) string { return name } }
func inProject(id string) func(int) string   { return func(i int) string { return token(i, id) } }

// settledRSS is the child's memory once garbage has gone back to the system.
func (c *child) settledRSS() (int64, error) {
	if _, err := c.ask("collect"); err != nil {
		return 0, err
	}
	return c.rss(), nil
}

// perDelivery has the server publish so many messages, waits until every client
// has every one, and divides the processor time.
func perDelivery(server *child, crowd *clients, messages int, pace time.Duration) (time.Duration, error) {
	before, have := server.cpu(), crowd.delivered.Load()
	if _, err := server.ask("publish %d %d %d %d", messages, fanBytes, pace.Nanoseconds(), 1); err != nil {
		return 0, err
	}
	want := int64(messages * len(crowd.conns))
	if err := crowd.wait(have+want, time.Minute); err != nil {
		return 0, err
	}
	return (server.cpu() - before) / time.Duration(want), nil
}
