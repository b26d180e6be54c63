package auth

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"horizon-realtime/router/event"
)

// Config is the table [auth]: the ways in which a client can authenticate. A way
// whose table is left empty is closed.
type Config struct {
	// AdminRoles are the names of the roles that open admin/*.
	AdminRoles []string        `toml:"admin_roles"`
	JWT        JWTConfig       `toml:"jwt"`
	Keystone   KeystoneConfig  `toml:"keystone"`
	Ticket     TicketConfig    `toml:"ticket"`
	Anonymous  AnonymousConfig `toml:"anonymous"`
	// TrustedProxies is [server] trusted_proxies, which the router fills in.
	TrustedProxies []string `toml:"-"`
}

// JWTConfig is the table [auth.jwt]. At most one source of keys is set, and the
// kind of key decides which signatures are accepted.
type JWTConfig struct {
	// HMACSecret is shared with the issuer. It has at least 32 bytes.
	HMACSecret string `toml:"hmac_secret"`
	// HMACSecretFile holds the secret. Line breaks at its end are ignored.
	HMACSecretFile string `toml:"hmac_secret_file"`
	// PublicKeyFile is a PEM file with one public key or certificate.
	PublicKeyFile string `toml:"public_key_file"`
	// JWKSFile is a JSON Web Key Set.
	JWKSFile string `toml:"jwks_file"`
	// JWKSURL is where the issuer publishes its JSON Web Key Set.
	JWKSURL string `toml:"jwks_url"`
	// JWKSRefresh is how often the set is read again. A token with an unknown key
	// id causes a reading at once.
	JWKSRefresh time.Duration `toml:"jwks_refresh"`
	// Audience, if set, must be in a token's `aud`.
	Audience string `toml:"audience"`
	// Issuer, if set, must be a token's `iss`.
	Issuer string `toml:"issuer"`
	// Leeway is how far the issuer's clock may differ from this one.
	Leeway time.Duration `toml:"leeway"`
}

func (c *JWTConfig) sources() (names []string) {
	for _, s := range []struct{ name, value string }{
		{"hmac_secret", c.HMACSecret},
		{"hmac_secret_file", c.HMACSecretFile},
		{"public_key_file", c.PublicKeyFile},
		{"jwks_file", c.JWKSFile},
		{"jwks_url", c.JWKSURL},
	} {
		if s.value != "" {
			names = append(names, s.name)
		}
	}
	return names
}

// KeystoneConfig is the table [auth.keystone].
type KeystoneConfig struct {
	// URL is Keystone's endpoint, with or without /v3.
	URL string `toml:"url"`
	// Direct lets clients connect with a Keystone token. Otherwise they need a
	// ticket.
	Direct bool `toml:"direct"`
	// CAFile is a PEM file with the certificate authorities to trust instead of
	// the system's.
	CAFile string `toml:"ca_file"`
	// CacheTTL is how long an answer is trusted, at most 300 s.
	CacheTTL time.Duration `toml:"cache_ttl"`
	// CacheSize bounds how many answers are kept. The oldest is dropped first.
	CacheSize int `toml:"cache_size"`
	// Timeout bounds how long a client waits for an answer, including the wait
	// for a slot. The question counts until Keystone has answered it.
	Timeout time.Duration `toml:"timeout"`
	// MaxRequests bounds how many questions run at the same time. Strangers' take
	// at most a quarter of that.
	MaxRequests int `toml:"max_requests"`
}

// TicketConfig is the table [auth.ticket]: the one-use tickets that Horizon's
// backend gets for its pages.
type TicketConfig struct {
	// TTL is how long a ticket is valid, at most 30 s.
	TTL time.Duration `toml:"ttl"`
	// Max bounds how many tickets are unused at the same time.
	Max int `toml:"max"`
	// MaxPerUser bounds how many of those belong to one user.
	MaxPerUser int `toml:"max_per_user"`
	// FailuresPerMinute is how many tokens that Keystone refuses one address may
	// send before its unknown tokens are refused unseen. Only addresses that a
	// trusted proxy names are counted.
	FailuresPerMinute int `toml:"failures_per_minute"`
}

// AnonymousConfig is the table [auth.anonymous]: the identity of a client
// without a token.
type AnonymousConfig struct {
	Enabled   bool     `toml:"enabled"`
	ProjectID string   `toml:"project_id"`
	UserID    string   `toml:"user_id"`
	Roles     []string `toml:"roles"`
	// Force lets in clients from other machines, too.
	Force bool `toml:"force"`
}

// Bounds of Config. RFC 7518 §3.2 wants a secret as long as the hash: a shorter
// one can be guessed from a single token.
const (
	maxCacheTTL  = 300 * time.Second
	maxTicketTTL = 30 * time.Second
	minSecret    = 32
)

// DefaultConfig holds the defaults, with which nobody gets in.
func DefaultConfig() Config {
	return Config{
		AdminRoles: []string{"admin"},
		JWT:        JWTConfig{JWKSRefresh: 5 * time.Minute, Leeway: 30 * time.Second},
		Keystone: KeystoneConfig{
			CacheTTL: maxCacheTTL, CacheSize: 10000, Timeout: 5 * time.Second, MaxRequests: 16,
		},
		Ticket: TicketConfig{TTL: maxTicketTTL, Max: 10000, MaxPerUser: 32, FailuresPerMinute: 30},
	}
}

// Validate checks the configuration without reading any file.
//
// # Errors
//
// Every problem found, one per line.
func (c *Config) Validate() error {
	var p problems
	for _, role := range c.AdminRoles {
		p.when(strings.TrimSpace(role) == "", "[auth] admin_roles has an empty name: every entry is the name of a Keystone role")
	}
	c.JWT.validate(&p)
	c.Keystone.validate(&p)
	c.Ticket.validate(&p)
	c.Anonymous.validate(&p)
	return errors.Join(p...)
}

type problems []error

func (p *problems) when(wrong bool, format string, args ...any) {
	if wrong {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func (p *problems) duration(key string, d, low, high time.Duration) {
	p.when(d < low || d > high, "%s = %q: between %s and %s", key, d, low, high)
}

func (p *problems) number(key string, n, low, high int) {
	p.when(n < low || n > high, "%s = %d: between %d and %d", key, n, low, high)
}

func (p *problems) url(key, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		p.when(true, "%s is not a URL: it looks like https://host:port/path", key)
		return
	}
	p.when(u.User != nil, "%s holds a user name or password: none is needed, take it out", key)
}

func (c *JWTConfig) validate(p *problems) {
	sources := c.sources()
	p.when(len(sources) > 1, "[auth.jwt] has %s: set one of them, because the kind of key decides which signatures are accepted",
		strings.Join(sources, " and "))
	p.when(c.HMACSecret != "" && len(c.HMACSecret) < minSecret,
		"[auth.jwt] hmac_secret has %d bytes: at least %d, such as `openssl rand -hex 32` gives", len(c.HMACSecret), minSecret)
	p.url("[auth.jwt] jwks_url", c.JWKSURL)
	p.duration("[auth.jwt] jwks_refresh", c.JWKSRefresh, 10*time.Second, 24*time.Hour)
	p.duration("[auth.jwt] leeway", c.Leeway, 0, 5*time.Minute)
	p.when(len(sources) == 0 && c.Audience+c.Issuer != "",
		"[auth.jwt] has an audience or an issuer and no key: set hmac_secret_file, public_key_file, jwks_file or jwks_url")
}

func (c *KeystoneConfig) validate(p *problems) {
	p.url("[auth.keystone] url", c.URL)
	p.duration("[auth.keystone] cache_ttl", c.CacheTTL, time.Second, maxCacheTTL)
	p.number("[auth.keystone] cache_size", c.CacheSize, 1, 1_000_000)
	p.duration("[auth.keystone] timeout", c.Timeout, 100*time.Millisecond, time.Minute)
	p.number("[auth.keystone] max_requests", c.MaxRequests, 1, 1000)
	p.when(c.Direct && c.URL == "", "[auth.keystone] direct without url does nothing: set url, or take direct out")
}

func (c *TicketConfig) validate(p *problems) {
	p.duration("[auth.ticket] ttl", c.TTL, time.Second, maxTicketTTL)
	p.number("[auth.ticket] max", c.Max, 1, 1_000_000)
	p.number("[auth.ticket] max_per_user", c.MaxPerUser, 1, c.Max)
	p.number("[auth.ticket] failures_per_minute", c.FailuresPerMinute, 1, 10000)
}

func (c *AnonymousConfig) validate(p *problems) {
	for _, id := range []struct{ key, scope, value string }{
		{"project_id", "project", c.ProjectID},
		{"user_id", "user", c.UserID},
	} {
		if id.value == "" {
			continue
		}
		_, err := event.ParsePattern(id.scope + "/" + id.value + "/*")
		p.when(err != nil, "[auth.anonymous] %s = %q: an id has 1 to 64 characters of A-Z a-z 0-9 _ -", id.key, id.value)
	}
	p.when(c.Force && !c.Enabled, "[auth.anonymous] force without enabled does nothing: set enabled = true, or take force out")
}
