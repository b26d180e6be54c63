package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is the table [server].
type Config struct {
	// Listen is the address of the client endpoints.
	Listen string `toml:"listen"`
	// Prefix is the path they are under.
	Prefix string `toml:"prefix"`
	// AllowedOrigins are the origins, besides the server's own, whose pages
	// may connect, such as "https://horizon.example.org".
	AllowedOrigins []string `toml:"allowed_origins"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For is
	// believed when connections are counted by address.
	TrustedProxies []string `toml:"trusted_proxies"`
	// TLSCertFile and TLSKeyFile, both or none, are PEM files. They are read
	// again when they change.
	TLSCertFile string `toml:"tls_cert_file"`
	TLSKeyFile  string `toml:"tls_key_file"`
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
	// holds.
	SlowChannels []SlowChannel `toml:"slow_channels"`
	// Compression has websockets compressed (permessage-deflate) whose clients
	// offer it.
	Compression bool `toml:"compression"`
	// HistoryChannels and PresenceChannels are patterns of the channels whose
	// history, and whose hearers, clients may ask for that may subscribe to them.
	HistoryChannels  []string `toml:"history_channels"`
	PresenceChannels []string `toml:"presence_channels"`
	// PresenceClients bounds the hearers of a channel that can be asked for.
	PresenceClients int `toml:"presence_clients"`
	// Ping is how often a client is pinged, PongTimeout how long it has to
	// answer.
	Ping        time.Duration `toml:"ping"`
	PongTimeout time.Duration `toml:"pong_timeout"`
	// FrameBytes bounds what a client sends in one frame or request.
	FrameBytes int `toml:"frame_bytes"`
	// MaxSubscriptions bounds the channels of one client.
	MaxSubscriptions int `toml:"max_subscriptions"`
	// CommandsPerSecond is how many commands a client may send in the long
	// run. It may save up for a second, and for subscribing to all its
	// channels at once.
	CommandsPerSecond int `toml:"commands_per_second"`
	// MaxConnections bounds the clients; beyond it they are answered 503.
	MaxConnections int `toml:"max_connections"`
	// MaxConnectionsPerUser and MaxConnectionsPerAddress bound those of one
	// user and one address; 0 does not.
	MaxConnectionsPerUser    int `toml:"max_connections_per_user"`
	MaxConnectionsPerAddress int `toml:"max_connections_per_address"`
	// ConnectsPerSecond is how many clients may connect in the long run, ten
	// seconds' worth of them at once; 0 is no limit. Those over it are told to
	// try again, which they do later and later.
	ConnectsPerSecond int `toml:"connects_per_second"`
	// ConnectTimeout is how long a client has for its request, and then for
	// its connect command.
	ConnectTimeout time.Duration `toml:"connect_timeout"`
	// Drain is over how long clients are told to go when the server stops, so
	// that they do not all come back at once.
	Drain time.Duration `toml:"drain"`
}

// DefaultConfig listens on loopback, where a proxy or a browser on the same
// machine reaches it.
func DefaultConfig() Config {
	return Config{
		Listen:                "127.0.0.1:8080",
		Prefix:                "/realtime",
		OutboxBytes:           1 << 20,
		Slow:                  "disconnect",
		PresenceClients:       1000,
		Ping:                  25 * time.Second,
		PongTimeout:           10 * time.Second,
		FrameBytes:            64 << 10,
		MaxSubscriptions:      128,
		CommandsPerSecond:     50,
		MaxConnections:        20_000,
		MaxConnectionsPerUser: 100,
		ConnectsPerSecond:     1000,
		ConnectTimeout:        10 * time.Second,
		Drain:                 5 * time.Second,
	}
}

// Validate checks the table.
//
// # Errors
//
// Every problem found, joined.
func (c Config) Validate() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf("[server] "+format, args...)) }
	number := func(key string, v, low, high int) {
		if v < low || v > high {
			refuse("%s = %d: between %d and %d", key, v, low, high)
		}
	}
	duration := func(key string, v, low, high time.Duration) {
		if v < low || v > high {
			refuse("%s = %s: between %s and %s", key, v, low, high)
		}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		refuse(`listen = %q: host:port is wanted, such as ":8080"`, c.Listen)
	}
	if !strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/") || strings.ContainsAny(c.Prefix, "{}?# ") {
		refuse(`prefix = %q: a path that starts with a slash and does not end in one, such as "/realtime"`, c.Prefix)
	}
	for _, origin := range c.AllowedOrigins {
		if _, err := parseOrigin(origin); err != nil {
			errs = append(errs, err)
		}
	}
	if _, err := parseNetworks(c.TrustedProxies); err != nil {
		errs = append(errs, err)
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		refuse("tls_cert_file and tls_key_file: set both, or neither")
	}
	if _, ok := policies[c.Slow]; !ok {
		refuse(`slow = %q: it is "disconnect", "drop-oldest" or "conflate"`, c.Slow)
	}
	for _, channel := range c.SlowChannels {
		if err := channel.validate(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, pattern := range c.HistoryChannels {
		if err := validatePattern("history_channels", pattern); err != nil {
			errs = append(errs, err)
		}
	}
	for _, pattern := range c.PresenceChannels {
		if err := validatePattern("presence_channels", pattern); err != nil {
			errs = append(errs, err)
		}
	}
	number("presence_clients", c.PresenceClients, 1, 100_000)
	number("outbox_bytes", c.OutboxBytes, 64<<10, 1<<30)
	number("frame_bytes", c.FrameBytes, 4<<10, 16<<20)
	number("max_subscriptions", c.MaxSubscriptions, 1, 10_000)
	number("commands_per_second", c.CommandsPerSecond, 1, 1_000_000)
	number("max_connections", c.MaxConnections, 1, 10_000_000)
	number("max_connections_per_user", c.MaxConnectionsPerUser, 0, 10_000_000)
	number("max_connections_per_address", c.MaxConnectionsPerAddress, 0, 10_000_000)
	number("connects_per_second", c.ConnectsPerSecond, 0, 1_000_000)
	duration("ping", c.Ping, time.Second, 10*time.Minute)
	duration("pong_timeout", c.PongTimeout, time.Second, 10*time.Minute)
	duration("connect_timeout", c.ConnectTimeout, time.Second, 5*time.Minute)
	duration("drain", c.Drain, 0, 10*time.Minute)
	if c.PongTimeout >= c.Ping {
		refuse("pong_timeout = %s: shorter than ping (%s)", c.PongTimeout, c.Ping)
	}
	return errors.Join(errs...)
}

// parseOrigin gives an origin in the one spelling that is compared.
func parseOrigin(origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Contains(u.Host, "*") {
		return "", fmt.Errorf("[server] allowed_origins: %q is not an origin; each is written out, scheme://host[:port], such as \"https://horizon.example.org\"", origin)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func parseNetworks(list []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if addr, e := netip.ParseAddr(s); e == nil {
			p, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("[server] trusted_proxies: %q is not an address or a network, such as \"10.0.0.0/8\"", s)
		}
		networks = append(networks, p.Masked())
	}
	return networks, nil
}

// certificate reads the pair now, so that a wrong one is found at the start.
func (c Config) tls() (*tls.Config, error) {
	if c.TLSCertFile == "" {
		return nil, nil
	}
	pair := &keyPair{certFile: c.TLSCertFile, keyFile: c.TLSKeyFile}
	if _, err := pair.get(nil); err != nil {
		return nil, fmt.Errorf("[server] tls_cert_file, tls_key_file: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}
