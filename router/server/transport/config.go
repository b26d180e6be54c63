package transport

import (
	"errors"
	"fmt"

	"horizon-realtime/router/server/session"
)

// Config is the part of the table [server] that is about what is sent and
// received.
type Config struct {
	// OutboxBytes bounds what waits for one client.
	OutboxBytes int `toml:"outbox_bytes"`
	// Slow is what happens to a client that is behind. With "disconnect" one
	// over that bound is told to come back, and recovers what it has missed.
	// "drop-oldest" drops its oldest publications at the bound instead.
	// "conflate" keeps, while it is behind, only the latest publication of each
	// key of a channel, and drops the oldest at the bound. After a drop the next
	// publication of the subscription has the number in the tag "skipped".
	// Replies are never dropped.
	Slow string `toml:"slow"`
	// SlowChannels are channels with another policy; the first that matches
	// applies.
	SlowChannels []SlowChannel `toml:"slow_channels"`
	// Compression compresses the websockets (permessage-deflate) of clients that
	// offer it.
	Compression bool `toml:"compression"`
	// FrameBytes bounds what a client sends in one frame or request.
	FrameBytes int `toml:"frame_bytes"`
}

// DefaultConfig has a client that is a megabyte behind come back.
func DefaultConfig() Config {
	return Config{OutboxBytes: 1 << 20, Slow: "disconnect", FrameBytes: 64 << 10}
}

// Validate checks the values.
//
// # Errors
//
// Every problem found, joined.
func (c Config) Validate() error {
	var errs []error
	number := func(key string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("[server] %s = %d: between %d and %d", key, v, low, high))
		}
	}
	number("outbox_bytes", c.OutboxBytes, 64<<10, 1<<30)
	number("frame_bytes", c.FrameBytes, 4<<10, 16<<20)
	if _, ok := policies[c.Slow]; !ok {
		errs = append(errs, fmt.Errorf(`[server] slow = %q: it is "disconnect", "drop-oldest" or "conflate"`, c.Slow))
	}
	for _, channel := range c.SlowChannels {
		if _, ok := policies[channel.Policy]; !ok {
			errs = append(errs, fmt.Errorf(`[server] slow_channels: policy = %q: it is "disconnect", "drop-oldest" or "conflate"`, channel.Policy))
		}
		errs = append(errs, session.ValidatePattern("slow_channels", channel.Pattern))
	}
	return errors.Join(errs...)
}
