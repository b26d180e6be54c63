package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/server/transport"
)

// The parts of the table [server] that others obey.
type (
	SessionConfig   = session.Config
	TransportConfig = transport.Config
)

// Config is the table [server].
type Config struct {
	SessionConfig
	TransportConfig

	// Listen is the address of the client endpoints.
	Listen string `toml:"listen"`
	// Prefix is the path they are under.
	Prefix string `toml:"prefix"`
	// AllowedOrigins are the origins, besides the server's own, whose pages
	// may connect, such as "https://horizon.example.org".
	AllowedOrigins []string `toml:"allowed_origins"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For is
	// believed when connections, and refused tokens, are counted by address, and
	// whose X-Forwarded-Proto when a page's origin is compared.
	TrustedProxies []string `toml:"trusted_proxies"`
	// TLSCertFile and TLSKeyFile, both or none, are PEM files. They are read
	// again when they change.
	TLSCertFile string `toml:"tls_cert_file"`
	TLSKeyFile  string `toml:"tls_key_file"`
	// Drain is over how long clients are told to go when the server stops, so
	// that they do not all come back at once.
	Drain time.Duration `toml:"drain"`
}

// DefaultConfig listens on loopback, for a proxy or a browser on the same machine.
func DefaultConfig() Config {
	return Config{
		SessionConfig:   session.DefaultConfig(),
		TransportConfig: transport.DefaultConfig(),
		Listen:          "127.0.0.1:8080",
		Prefix:          "/realtime",
		Drain:           5 * time.Second,
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
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		refuse(`listen = %q: host:port is wanted, such as ":8080"`, c.Listen)
	}
	if !strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/") || strings.ContainsAny(c.Prefix, "{}?# ") {
		refuse(`prefix = %q: a path that starts with a slash and does not end in one, such as "/realtime"`, c.Prefix)
	}
	for _, origin := range c.AllowedOrigins {
		if _, err := parseOrigin(origin); err != nil {
			refuse("allowed_origins: %w", err)
		}
	}
	if _, err := auth.ParseProxies(c.TrustedProxies); err != nil {
		errs = append(errs, err)
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		refuse("tls_cert_file and tls_key_file: set both, or neither")
	}
	if c.Drain < 0 || c.Drain > 10*time.Minute {
		refuse("drain = %s: between 0s and 10m0s", c.Drain)
	}
	errs = append(errs, c.SessionConfig.Validate(), c.TransportConfig.Validate())
	return errors.Join(errs...)
}

// certificate reads the pair now, so that a wrong one is found at the start. It is
// nil if there is none.
func (c Config) certificate(log *slog.Logger) (*certificate, error) {
	if c.TLSCertFile == "" {
		return nil, nil
	}
	cert := &certificate{certFile: c.TLSCertFile, keyFile: c.TLSKeyFile, interval: certificateInterval, log: log}
	if _, err := cert.read(time.Now()); err != nil {
		return nil, fmt.Errorf("[server] tls_cert_file, tls_key_file: %w", err)
	}
	return cert, nil
}
