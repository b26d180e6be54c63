package session

import (
	"errors"
	"fmt"
	"time"
)

// Config is the part of the table [server] that is about clients.
type Config struct {
	// HistoryChannels and PresenceChannels are patterns of the channels whose
	// history, and whose subscribers, a client may ask for if it may subscribe.
	HistoryChannels  []string `toml:"history_channels"`
	PresenceChannels []string `toml:"presence_channels"`
	// PresenceClients bounds the subscribers that an answer lists; about a
	// channel with more nothing is said.
	PresenceClients int `toml:"presence_clients"`
	// Ping is how often a client is pinged, PongTimeout how long it has to
	// answer.
	Ping        time.Duration `toml:"ping"`
	PongTimeout time.Duration `toml:"pong_timeout"`
	// MaxSubscriptions bounds the channels of one client.
	MaxSubscriptions int `toml:"max_subscriptions"`
	// CommandsPerSecond is how many commands a client may send in the long
	// run. Its burst is a second's worth, and two for each of its channels.
	CommandsPerSecond int `toml:"commands_per_second"`
	// MaxConnections bounds the clients that have connected; beyond it others are
	// answered 503.
	MaxConnections int `toml:"max_connections"`
	// MaxConnectionsPerUser and MaxConnectionsPerAddress bound those of one
	// user and one address, or network of IPv6 (/64); 0 is no bound.
	MaxConnectionsPerUser    int `toml:"max_connections_per_user"`
	MaxConnectionsPerAddress int `toml:"max_connections_per_address"`
	// MaxStrangers bounds the connections that have not said who they are, besides
	// MaxConnections, and MaxStrangersPerAddress those from one address; 0 is no
	// bound. Beyond a bound the oldest is closed.
	MaxStrangers           int `toml:"max_strangers"`
	MaxStrangersPerAddress int `toml:"max_strangers_per_address"`
	// ConnectsPerSecond is how many clients may connect in the long run, ten
	// seconds' worth of them at once; 0 is no limit. Those over it are told to
	// try again, which they do later and later.
	ConnectsPerSecond int `toml:"connects_per_second"`
	// ConnectTimeout is how long a client has for its request, and then for
	// its connect command.
	ConnectTimeout time.Duration `toml:"connect_timeout"`
}

// DefaultConfig lets a user have a hundred pages open, and one address, which may be
// that of many people, half of all places.
func DefaultConfig() Config {
	return Config{
		PresenceClients:          1000,
		Ping:                     25 * time.Second,
		PongTimeout:              10 * time.Second,
		MaxSubscriptions:         128,
		CommandsPerSecond:        50,
		MaxConnections:           20_000,
		MaxConnectionsPerUser:    100,
		MaxConnectionsPerAddress: 10_000,
		MaxStrangers:             2000,
		MaxStrangersPerAddress:   1000,
		ConnectsPerSecond:        1000,
		ConnectTimeout:           10 * time.Second,
	}
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
	duration := func(key string, v, low, high time.Duration) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("[server] %s = %s: between %s and %s", key, v, low, high))
		}
	}
	for _, pattern := range c.HistoryChannels {
		errs = append(errs, ValidatePattern("history_channels", pattern))
	}
	for _, pattern := range c.PresenceChannels {
		errs = append(errs, ValidatePattern("presence_channels", pattern))
	}
	number("presence_clients", c.PresenceClients, 1, 100_000)
	number("max_subscriptions", c.MaxSubscriptions, 1, 10_000)
	number("commands_per_second", c.CommandsPerSecond, 1, 1_000_000)
	number("max_connections", c.MaxConnections, 1, 10_000_000)
	number("max_connections_per_user", c.MaxConnectionsPerUser, 0, 10_000_000)
	number("max_connections_per_address", c.MaxConnectionsPerAddress, 0, 10_000_000)
	number("max_strangers", c.MaxStrangers, 1, 10_000_000)
	number("max_strangers_per_address", c.MaxStrangersPerAddress, 0, 10_000_000)
	number("connects_per_second", c.ConnectsPerSecond, 0, 1_000_000)
	duration("ping", c.Ping, time.Second, 10*time.Minute)
	duration("pong_timeout", c.PongTimeout, time.Second, 10*time.Minute)
	duration("connect_timeout", c.ConnectTimeout, time.Second, 5*time.Minute)
	if c.PongTimeout >= c.Ping {
		errs = append(errs, fmt.Errorf("[server] pong_timeout = %s: shorter than ping (%s)", c.PongTimeout, c.Ping))
	}
	return errors.Join(errs...)
}

// burst is how many commands a client may send at once: a second's worth, and
// enough to subscribe to all its channels, and to unsubscribe.
func (c Config) burst() int { return c.CommandsPerSecond + 2*c.MaxSubscriptions }
