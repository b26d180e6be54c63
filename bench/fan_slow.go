package main

import (
	"fmt"
	"time"
)

const (
	// slowOutbox is [server] outbox_bytes as it is by default.
	slowOutbox = 1 << 20
	// floodBytes is what the clients that will stall are sent with each message
	// besides, on a channel of their own: a megabyte in a few seconds.
	floodBytes = 64 << 10
)

// slowClients measures what 100 clients that stop reading cost 4,900 that do
// not: their latency, and the server's memory. Both runs send the same to
// everybody; in one of them the 100 read it.
func slowClients() ([]result, error) {
	var with, without []slowOutcome
	for range size(3, 1) {
		reading, err := besideSlow(false)
		if err != nil {
			return nil, fmt.Errorf("all read: %w", err)
		}
		stalled, err := besideSlow(true)
		if err != nil {
			return nil, fmt.Errorf("some stall: %w", err)
		}
		with, without = append(with, stalled), append(without, reading)
	}
	p50 := func(o slowOutcome) float64 { return milliseconds(o.p50) }
	p99 := func(o slowOutcome) float64 { return milliseconds(o.p99) }
	grown := func(o slowOutcome) float64 { return o.grown }
	limit := float64(size(slowStalled, quickStalled) * slowOutbox)
	return []result{
		row("p99 publish to client of 4,900 beside 100 stalled (goal 1.2)", "ms", median(with, p99), median(without, p99), "the same with nobody stalled"),
		row("p50 publish to client of 4,900 beside 100 stalled", "ms", median(with, p50), median(without, p50), "the same with nobody stalled"),
		row("server's memory, at most, beyond that with nobody stalled (goal 1)", "bytes",
			median(with, grown)-median(without, grown), limit, "100 × [server] outbox_bytes"),
	}, nil
}

const (
	slowReaders, quickReaders = 4900, 200
	slowStalled, quickStalled = 100, 10
)

// slowOutcome is what one run gave: the readers' latencies, and how far the
// server's memory went beyond what it was before the first message.
type slowOutcome struct {
	p50, p99 time.Duration
	grown    float64
}

func besideSlow(stall bool) (o slowOutcome, err error) {
	server, err := startChild("fan-ours", fmt.Sprint(slowOutbox))
	if err != nil {
		return o, err
	}
	defer server.stop()
	messages := size(40, 20)
	const pace = 150 * time.Millisecond
	readers, slow := size(slowReaders, quickReaders), size(slowStalled, quickStalled)
	times := newTimes(readers*messages, `"t":"`)
	crowd := clients{onPush: func(_ int, read []byte) { times.see(read) }}
	if err := crowd.dial(server.addr, fanPath, readers, onChannel(fanChannel), inProject(fanProject)); err != nil {
		return o, err
	}
	defer crowd.close()
	few := clients{stalled: stall, window: 16 << 10}
	if err := few.dial(server.addr, fanPath, slow, onChannel(fanChannel+" "+fanFlood), inProject(fanProject)); err != nil {
		return o, err
	}
	defer few.close()
	before, err := server.settledRSS()
	if err != nil {
		return o, err
	}
	peak := watch(50*time.Millisecond, server.rss)
	if _, err := server.ask("publish %d %d %d %d %d", messages, fanBytes, pace.Nanoseconds(), 1, floodBytes); err != nil {
		return o, err
	}
	if err := crowd.wait(int64(readers*messages), time.Minute); err != nil {
		return o, err
	}
	o.grown = float64(peak() - before)
	gone, err := server.ask("slow")
	if err != nil {
		return o, err
	}
	if (gone != "0") != stall {
		return o, fmt.Errorf("%s of %d clients were sent away as slow: the bound was not reached as it should", gone, slow)
	}
	o.p50, o.p99 = times.quantile(0.5), times.quantile(0.99)
	return o, nil
}

// watch reads a figure every so often until the function it returns is called,
// which gives the greatest.
func watch(every time.Duration, read func() int64) (stop func() int64) {
	end, greatest := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		top := read()
		for {
			select {
			case <-tick.C:
				top = max(top, read())
			case <-end:
				greatest <- max(top, read())
				return
			}
		}
	}()
	return func() int64 { close(end); return <-greatest }
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
