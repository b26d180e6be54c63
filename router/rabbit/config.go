package rabbit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Config is the table [amqp].
type Config struct {
	// URLs has one entry for each broker (a cell, a separate notification bus):
	// amqp://, amqps://, or a transport_url as in the services' own
	// configuration. Several hosts in one URL are one cluster: the next is tried
	// when one fails.
	URLs []string `toml:"urls"`
	// URLFile holds further URLs, one per line; blank lines and # comments are
	// skipped.
	URLFile string `toml:"url_file"`
	// Brokers are further ones, for which some of this table is different.
	Brokers []BrokerConfig `toml:"broker"`
	// Group names the queue. Routers of one group share the notifications,
	// routers of different groups each get all of them.
	Group string `toml:"group"`
	// Exchanges are the services' control_exchange values.
	Exchanges []string `toml:"exchanges"`
	// Topics are the services' notification topics; <topic>.* is bound.
	Topics []string `toml:"topics"`
	// Declare makes missing exchanges (topic; durable as DeclareDurable says)
	// instead of waiting for their service to. A service that would make its own
	// with other flags then fails to start.
	Declare        bool `toml:"declare"`
	DeclareDurable bool `toml:"declare_durable"`
	// ExchangeRetry is the first pause before an exchange that was never there is
	// looked up again; it doubles up to ExchangeRetryMax. RabbitMQ logs each attempt.
	ExchangeRetry    time.Duration `toml:"exchange_retry"`
	ExchangeRetryMax time.Duration `toml:"exchange_retry_max"`
	// Prefetch is how many deliveries of a broker may be unacknowledged.
	Prefetch int `toml:"prefetch"`
	// AckInterval is how long an acknowledgement may wait to be sent with others.
	AckInterval time.Duration `toml:"ack_interval"`
	// Heartbeat is the interval asked for; a connection that is silent for one
	// and a half is given up.
	Heartbeat time.Duration `toml:"heartbeat"`
	// SetupTimeout bounds connecting, and each exchange with the broker later.
	SetupTimeout time.Duration `toml:"setup_timeout"`

	Queue      QueueConfig      `toml:"queue"`
	DeadLetter DeadLetterConfig `toml:"dead_letter"`
	Reconnect  ReconnectConfig  `toml:"reconnect"`
	TLS        TLSConfig        `toml:"tls"`
}

// BrokerConfig is one [[amqp.broker]]. What it leaves out is as in [amqp].
type BrokerConfig struct {
	// URL, or the first line of URLFile that is no comment, is as in Config.URLs.
	URL     string `toml:"url"`
	URLFile string `toml:"url_file"`
	// Exchanges and Topics replace those of [amqp].
	Exchanges []string `toml:"exchanges"`
	Topics    []string `toml:"topics"`
	// TLS replaces [amqp.tls].
	TLS *TLSConfig `toml:"tls"`
}

// QueueConfig is [amqp.queue]: what the group's queue may hold. Past a bound,
// RabbitMQ drops the oldest.
type QueueConfig struct {
	// Type is classic or quorum.
	Type string `toml:"type"`
	// MaxLength is in messages.
	MaxLength int `toml:"max_length"`
	// MaxBytes is the sum of the bodies.
	MaxBytes int `toml:"max_bytes"`
	// MessageTTL is how long a message waits for a router.
	MessageTTL time.Duration `toml:"message_ttl"`
	// Expires is how long the queue outlives the last router.
	Expires time.Duration `toml:"expires"`
}

// DeadLetterConfig is [amqp.dead_letter]: the queue for rejected messages.
type DeadLetterConfig struct {
	// Enabled false drops rejected messages instead.
	Enabled    bool          `toml:"enabled"`
	MaxLength  int           `toml:"max_length"`
	MaxBytes   int           `toml:"max_bytes"`
	MessageTTL time.Duration `toml:"message_ttl"`
	// Timeout is how long a rejected message waits for RabbitMQ to accept it; then
	// it is dropped and counted, so that it does not hold up the others.
	Timeout time.Duration `toml:"timeout"`
}

// ReconnectConfig is [amqp.reconnect]: the pauses between attempts, which
// double from Min to Max, each shortened at random by up to half.
type ReconnectConfig struct {
	Min time.Duration `toml:"min"`
	Max time.Duration `toml:"max"`
}

// TLSConfig is [amqp.tls].
type TLSConfig struct {
	// Enabled uses TLS for rabbit:// and amqp:// too; amqps:// always does.
	Enabled bool `toml:"enabled"`
	// CAFile has the authorities to trust instead of the system's, in PEM.
	CAFile string `toml:"ca_file"`
	// CertFile and KeyFile are the client's own certificate, in PEM.
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
	// ServerName is expected in the broker's certificate instead of its host.
	ServerName string `toml:"server_name"`
}

// DefaultConfig is what holds for every key left out. It has no URL.
func DefaultConfig() Config {
	return Config{
		Group: "default",
		Exchanges: []string{"nova", "neutron", "openstack", "glance", "keystone", "heat",
			"octavia", "magnum", "designate", "ironic", "trove", "aodh", "masakari", "watcher"},
		Topics:           []string{"notifications", "versioned_notifications"},
		ExchangeRetry:    2 * time.Second,
		ExchangeRetryMax: time.Hour,
		Prefetch:         512,
		AckInterval:      20 * time.Millisecond,
		Heartbeat:        10 * time.Second,
		SetupTimeout:     20 * time.Second,
		Queue: QueueConfig{Type: "quorum", MaxLength: 100_000, MaxBytes: 256 << 20,
			MessageTTL: time.Hour, Expires: 24 * time.Hour},
		DeadLetter: DeadLetterConfig{Enabled: true, MaxLength: 1000, MaxBytes: 16 << 20,
			MessageTTL: 7 * 24 * time.Hour, Timeout: 30 * time.Second},
		Reconnect: ReconnectConfig{Min: 500 * time.Millisecond, Max: 30 * time.Second},
	}
}

const minHeartbeat, maxHeartbeat = time.Second, 10 * time.Minute

var (
	groupName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	// Wider than what any service uses, without the wildcards * and #.
	exchangeName = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,127}$`)
	topicName    = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

// Validate checks everything but the files it names, which New reads. New also
// checks that there is a URL: the demo needs none.
//
// # Errors
//
// All problems joined, each naming its key, the limit and the way out. None
// shows a URL.
func (c Config) Validate() error {
	var errs []error
	refuse := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("[amqp] "+key+": "+format, args...))
	}
	between := func(key string, got, low, high int) {
		if got < low || got > high {
			refuse(key, "%d is not between %d and %d", got, low, high)
		}
	}
	// 28 days: RabbitMQ keeps these as milliseconds in 32 bits.
	span := func(key string, got, low, high time.Duration) {
		if got < low || got > high {
			refuse(key, "%s is not between %s and %s", got, low, high)
		}
	}
	for i, raw := range c.URLs {
		if err := c.validateURL(raw); err != nil {
			refuse(fmt.Sprintf("urls[%d]", i), "%w", err)
		}
	}
	for i, b := range c.Brokers {
		errs = append(errs, b.validate(c, i))
	}
	if !groupName.MatchString(c.Group) {
		refuse("group", "%q must be 1 to 64 letters, digits, _ or -", c.Group)
	}
	errs = append(errs, validateBindings("[amqp]", c.Exchanges, c.Topics), c.TLS.validate("[amqp.tls]"))
	between("prefetch", c.Prefetch, 1, 65535)
	span("exchange_retry", c.ExchangeRetry, 100*time.Millisecond, time.Hour)
	span("exchange_retry_max", c.ExchangeRetryMax, c.ExchangeRetry, time.Hour)
	span("ack_interval", c.AckInterval, time.Millisecond, time.Minute)
	span("heartbeat", c.Heartbeat, minHeartbeat, maxHeartbeat)
	span("setup_timeout", c.SetupTimeout, time.Second, 10*time.Minute)
	span("reconnect.min", c.Reconnect.Min, 10*time.Millisecond, time.Hour)
	span("reconnect.max", c.Reconnect.Max, c.Reconnect.Min, time.Hour)
	if c.Queue.Type != "classic" && c.Queue.Type != "quorum" {
		refuse("queue.type", `%q is neither "classic" nor "quorum"`, c.Queue.Type)
	}
	const days = 24 * time.Hour
	between("queue.max_length", c.Queue.MaxLength, 1, 100_000_000)
	between("queue.max_bytes", c.Queue.MaxBytes, 1<<20, 1<<40)
	span("queue.message_ttl", c.Queue.MessageTTL, time.Second, 28*days)
	span("queue.expires", c.Queue.Expires, 10*time.Second, 28*days)
	between("dead_letter.max_length", c.DeadLetter.MaxLength, 1, 10_000_000)
	between("dead_letter.max_bytes", c.DeadLetter.MaxBytes, 1<<10, 1<<40)
	span("dead_letter.message_ttl", c.DeadLetter.MessageTTL, time.Second, 28*days)
	span("dead_letter.timeout", c.DeadLetter.Timeout, time.Second, time.Hour)
	return errors.Join(errs...)
}

// validateURL checks one of URLs.
func (c Config) validateURL(raw string) error {
	a, err := parseURL(raw)
	if err != nil {
		return err
	}
	_, err = c.with(a)
	return err
}

func (b BrokerConfig) validate(c Config, i int) error {
	table := fmt.Sprintf("[[amqp.broker]] number %d", i+1)
	var errs []error
	switch {
	case (b.URL == "") == (b.URLFile == ""):
		errs = append(errs, fmt.Errorf("%s: set url, or url_file", table))
	case b.URL != "":
		if err := b.over(c).validateURL(b.URL); err != nil {
			errs = append(errs, fmt.Errorf("%s url: %w", table, err))
		}
	}
	c = b.over(c)
	return errors.Join(append(errs, validateBindings(table, c.Exchanges, c.Topics), c.TLS.validate(table+" tls"))...)
}

// over is [amqp] with what the broker's table replaces.
func (b BrokerConfig) over(c Config) Config {
	if b.Exchanges != nil {
		c.Exchanges = b.Exchanges
	}
	if b.Topics != nil {
		c.Topics = b.Topics
	}
	if b.TLS != nil {
		c.TLS = *b.TLS
	}
	return c
}

func validateBindings(table string, exchanges, topics []string) error {
	var errs []error
	refuse := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(table+" "+key+": "+format, args...))
	}
	if len(exchanges) == 0 {
		refuse("exchanges", "is empty; name the services' control_exchange values")
	}
	for _, name := range exchanges {
		if !exchangeName.MatchString(name) {
			refuse("exchanges", "%q is no exchange to bind to; use letters, digits and . _ : -", name)
		}
	}
	if len(topics) == 0 {
		refuse("topics", "is empty; name the services' notification topics")
	}
	for _, topic := range topics {
		if !topicName.MatchString(topic) || len(topic) > 127 {
			refuse("topics", "%q would bind more than one topic's notifications, or nothing; name topics without the wildcards # and *", topic)
		}
	}
	return errors.Join(errs...)
}

func (c TLSConfig) validate(table string) error {
	if (c.CertFile == "") != (c.KeyFile == "") {
		return fmt.Errorf("%s: cert_file and key_file go together; set both or none", table)
	}
	return nil
}

// deliveryLimit is how often RabbitMQ delivers a message of a quorum queue again
// before it drops it. Its own default, 20 since version 4, would drop whatever was
// unacknowledged in each of 21 lost connections.
const deliveryLimit = 1_000_000

// arguments of every queue. They always name the type, because a vhost may have its
// own default.
func (c Config) arguments() amqp.Table {
	if c.Queue.Type == "quorum" {
		return amqp.Table{"x-queue-type": c.Queue.Type, "x-delivery-limit": int64(deliveryLimit)}
	}
	return amqp.Table{"x-queue-type": c.Queue.Type}
}

// queueArguments are those of the group's queue.
func (c Config) queueArguments() amqp.Table {
	args := c.arguments()
	maps.Copy(args, amqp.Table{
		"x-max-length":       int64(c.Queue.MaxLength),
		"x-max-length-bytes": int64(c.Queue.MaxBytes),
		"x-message-ttl":      c.Queue.MessageTTL.Milliseconds(),
		"x-expires":          c.Queue.Expires.Milliseconds(),
		"x-overflow":         "drop-head",
	})
	return args
}

// deadLetterArguments let a classic queue expire only when its last message has:
// it is declared again at most a minute before a message is put into it. That
// renews nothing for a quorum queue, so it does not expire.
func (c Config) deadLetterArguments() amqp.Table {
	args := c.arguments()
	maps.Copy(args, amqp.Table{
		"x-max-length":       int64(c.DeadLetter.MaxLength),
		"x-max-length-bytes": int64(c.DeadLetter.MaxBytes),
		"x-message-ttl":      c.DeadLetter.MessageTTL.Milliseconds(),
		"x-overflow":         "drop-head",
	})
	if c.Queue.Type == "classic" {
		args["x-expires"] = (c.DeadLetter.MessageTTL + time.Hour).Milliseconds()
	}
	return args
}

func (c Config) prefix() string { return "horizon-realtime." + c.Group + "." }

// QueueName is the name of the group's queue.
func (c Config) QueueName() string {
	return c.prefix() + hash(c.queueArguments(), c.Exchanges, c.Topics)
}

// DeadLetterName is the name of the queue for rejected messages and of the
// exchange in front of it.
func (c Config) DeadLetterName() string {
	return c.prefix() + "dead-letter." + hash(c.deadLetterArguments())
}

// hash does not depend on the order that lists are written in.
func hash(args amqp.Table, lists ...[]string) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(args)) {
		fmt.Fprintf(h, "%s=%v\n", key, args[key])
	}
	for _, list := range lists {
		fmt.Fprintf(h, "%q\n", slices.Compact(slices.Sorted(slices.Values(list))))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Permissions are the patterns of rabbitmqctl set_permissions.
type Permissions struct{ Configure, Write, Read string }

// Permissions are the least that the broker's user needs. With Declare it
// must also be allowed to make the exchanges.
func (c Config) Permissions() Permissions {
	own := regexp.QuoteMeta(c.prefix())
	exchanges := make([]string, len(c.Exchanges))
	for i, name := range c.Exchanges {
		exchanges[i] = regexp.QuoteMeta(name)
	}
	services := strings.Join(exchanges, "|")
	p := Permissions{
		Configure: "^" + own,
		Write:     "^" + own,
		Read:      "^(" + own + ".+|" + services + ")$",
	}
	if c.Declare {
		p.Configure = "^(" + own + ".+|" + services + ")$"
	}
	return p
}
