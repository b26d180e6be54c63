package server

import (
	"testing"
	"time"

	"horizon-realtime/router/server/transport"
)

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"listen":       {func(c *Config) { c.Listen = "8080" }, `[server] listen = "8080": host:port is wanted, such as ":8080"`},
		"prefix":       {func(c *Config) { c.Prefix = "/realtime/" }, `[server] prefix = "/realtime/": a path that starts with a slash and does not end in one, such as "/realtime"`},
		"any origin":   {func(c *Config) { c.AllowedOrigins = []string{"*"} }, `[server] allowed_origins: "*" is not an origin; each is written out, scheme://host[:port], such as "https://horizon.example.org"`},
		"origin path":  {func(c *Config) { c.AllowedOrigins = []string{"https://h/"} }, `[server] allowed_origins: "https://h/" is not an origin; each is written out, scheme://host[:port], such as "https://horizon.example.org"`},
		"proxy":        {func(c *Config) { c.TrustedProxies = []string{"haproxy"} }, `[server] trusted_proxies: "haproxy" is not an address or a network, such as "10.0.0.0/8"`},
		"half TLS":     {func(c *Config) { c.TLSCertFile = "x" }, `[server] tls_cert_file and tls_key_file: set both, or neither`},
		"slow":         {func(c *Config) { c.Slow = "x" }, `[server] slow = "x": it is "disconnect", "drop-oldest" or "conflate"`},
		"slow channel": {func(c *Config) { c.SlowChannels = []transport.SlowChannel{{Pattern: "project/*", Policy: "conflate"}} }, `[server] slow_channels: "project/*": a channel, with * for any id or topic, such as "project/*/instances"`},
		"history":      {func(c *Config) { c.HistoryChannels = []string{"*"} }, `[server] history_channels: "*": a channel, with * for any id or topic, such as "project/*/instances"`},
		"presence":     {func(c *Config) { c.PresenceChannels = []string{"project/p/A"} }, `[server] presence_channels: "project/p/A": a channel, with * for any id or topic, such as "project/*/instances"`},
		"slow policy": {func(c *Config) {
			c.SlowChannels = []transport.SlowChannel{{Pattern: "project/*/instances", Policy: "x"}}
		}, `[server] slow_channels: policy = "x": it is "disconnect", "drop-oldest" or "conflate"`},
		"outbox":       {func(c *Config) { c.OutboxBytes = 1 }, `[server] outbox_bytes = 1: between 65536 and 1073741824`},
		"pong timeout": {func(c *Config) { c.PongTimeout = c.Ping }, `[server] pong_timeout = 25s: shorter than ping (25s)`},
		"ping":         {func(c *Config) { c.Ping, c.PongTimeout = time.Hour, time.Second }, `[server] ping = 1h0m0s: between 1s and 10m0s`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			if err := cfg.Validate(); err == nil || err.Error() != c.want {
				t.Errorf("%v\nnot %s", err, c.want)
			}
		})
	}
}
