package hub

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Config is the table [hub].
type Config struct {
	// HistorySize is how many publications of a channel are kept for clients that
	// come back. With 0 no client can recover.
	HistorySize int `toml:"history_size"`
	// HistoryTTL is how long a publication is kept.
	HistoryTTL time.Duration `toml:"history_ttl"`
	// HistoryBytes bounds the history of all channels together. The oldest
	// publications are dropped first, whatever channel they are in.
	HistoryBytes int `toml:"history_bytes"`
	// HistoryFile is where a router that stops leaves the history for the next one on
	// this host; empty: nowhere.
	HistoryFile string `toml:"history_file"`
	// Channels bounds how many channels without a subscriber are remembered.
	// The one longest without a publication is forgotten first.
	Channels int `toml:"channels"`
	// MessageBytes bounds the data of one publication.
	MessageBytes int `toml:"message_bytes"`
	// QueueBytes bounds what waits for a shard; one project may fill an eighth of it.
	// A publisher blocks beyond either bound.
	QueueBytes int `toml:"queue_bytes"`
	// BatchDelay is how long a shard waits between sending and sending again, so that
	// more is joined. What comes after a quiet time is sent at once, and nothing waits
	// longer than this.
	BatchDelay time.Duration `toml:"batch_delay"`
	// Shards is how many goroutines share the work; 0 is one per core, at most 4.
	Shards int `toml:"shards"`
}

// DefaultConfig keeps up to a hundred publications of a channel for five
// minutes, in 64 MiB: long enough for a laptop's nap or the router's proxy to
// restart.
func DefaultConfig() Config {
	return Config{
		HistorySize:  100,
		HistoryTTL:   5 * time.Minute,
		HistoryBytes: 64 << 20,
		Channels:     65536,
		MessageBytes: 256 << 10,
		QueueBytes:   4 << 20,
	}
}

// Validate checks the table.
//
// # Errors
//
// Every value out of its range, joined.
func (c Config) Validate() error {
	var errs []error
	number := func(key string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("[hub] %s = %d: between %d and %d", key, v, low, high))
		}
	}
	number("history_size", c.HistorySize, 0, 100_000)
	number("history_bytes", c.HistoryBytes, 1<<20, 1<<36)
	number("channels", c.Channels, 1, 10_000_000)
	number("message_bytes", c.MessageBytes, 1<<10, 16<<20)
	number("queue_bytes", c.QueueBytes, 64<<10, 1<<30)
	number("shards", c.Shards, 0, 256)
	if c.HistoryTTL < time.Second || c.HistoryTTL > 24*time.Hour {
		errs = append(errs, fmt.Errorf("[hub] history_ttl = %s: between 1s and 24h", c.HistoryTTL))
	}
	if c.BatchDelay < 0 || c.BatchDelay > 5*time.Millisecond {
		errs = append(errs, fmt.Errorf("[hub] batch_delay = %s: between 0s and 5ms", c.BatchDelay))
	}
	if c.QueueBytes < c.MessageBytes {
		errs = append(errs, fmt.Errorf("[hub] queue_bytes = %d: at least message_bytes (%d)", c.QueueBytes, c.MessageBytes))
	}
	return errors.Join(errs...)
}

func (c Config) shards() int {
	if c.Shards > 0 {
		return c.Shards
	}
	return min(runtime.GOMAXPROCS(0), 4)
}
