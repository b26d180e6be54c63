package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
)

// clockTolerance is how far a publisher's time may be from the arrival of its
// notification at a queue in which nothing waits.
const clockTolerance = 2 * time.Second

// publisherClocks compares the clocks of the publishers that doctor hears with this
// machine's.
type publisherClocks struct {
	mu      sync.Mutex
	decoder *oslo.Decoder
	ahead   map[string]time.Duration // by publisher, of its last notification
}

// heard may be called concurrently.
func (c *publisherClocks) heard(body []byte, compression string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.decoder == nil {
		cfg := oslo.DefaultConfig()
		cfg.Live = true
		c.decoder, c.ahead = oslo.NewDecoder(cfg), map[string]time.Duration{}
	}
	var n event.Notification
	if len(body) > 1<<20 || len(c.ahead) > 10_000 || c.decoder.Decode(&n, body, compression) != nil || n.Skew == 0 {
		return
	}
	c.ahead[strings.Clone(n.Publisher)] = n.Skew + time.Since(now) // as of its arrival
}

// wrong is a line for each clock that is wrong, and one that blames this machine's
// instead if nearly all are.
func (c *publisherClocks) wrong() []string {
	var lines []string
	for _, publisher := range slices.Sorted(maps.Keys(c.ahead)) {
		if ahead := c.ahead[publisher]; ahead.Abs() > clockTolerance {
			how := "ahead of"
			if ahead < 0 {
				how = "behind"
			}
			lines = append(lines, fmt.Sprintf("that of %.128q is %s %s this machine's; look after its NTP, as pages may show its changes in the wrong order",
				publisher, ahead.Abs().Round(100*time.Millisecond), how))
		}
	}
	const most = 20
	switch n := len(lines); {
	case n > 2 && n == len(c.ahead):
		return []string{fmt.Sprintf("those of all %d publishers that were heard differ from this machine's; look after NTP here. The first: %s", n, lines[0])}
	case n > most:
		return append(lines[:most], fmt.Sprintf("and %d more", n-most))
	}
	return lines
}
