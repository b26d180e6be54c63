package rabbit

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/prometheus/client_golang/prometheus"
)

var discard = slog.New(slog.DiscardHandler)

func TestDefaultConfigIsValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestConfigFromTOML(t *testing.T) {
	cfg := DefaultConfig()
	meta, err := toml.Decode(`
		urls = ["rabbit://u:p@h1,h2/"]
		group = "west"
		exchange_retry = "5s"
		[queue]
		max_length = 7
		expires = "30m"
		[dead_letter]
		enabled = false
		[reconnect]
		max = "1m"
		[tls]
		enabled = true
		server_name = "mq"`, &cfg)
	if err != nil || len(meta.Undecoded()) > 0 {
		t.Fatalf("error %v, unknown %v", err, meta.Undecoded())
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if cfg.Queue.MaxLength != 7 || cfg.Queue.Expires != 30*time.Minute || cfg.Queue.MessageTTL != time.Hour ||
		cfg.DeadLetter.Enabled || cfg.Reconnect.Max != time.Minute || !cfg.TLS.Enabled || cfg.Group != "west" {
		t.Fatalf("%+v", cfg)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"a topic of everything":   {func(c *Config) { c.Topics = []string{"#"} }, `[amqp] topics: "#" would bind more`},
		"a wildcard topic":        {func(c *Config) { c.Topics = []string{"notifications", "*"} }, `[amqp] topics: "*"`},
		"a topic that ends so":    {func(c *Config) { c.Topics = []string{"notifications.#"} }, `"notifications.#"`},
		"an empty topic":          {func(c *Config) { c.Topics = []string{""} }, `[amqp] topics: ""`},
		"an empty word":           {func(c *Config) { c.Topics = []string{"a..b"} }, `"a..b"`},
		"no topic":                {func(c *Config) { c.Topics = nil }, "[amqp] topics: is empty"},
		"no exchange":             {func(c *Config) { c.Exchanges = nil }, "[amqp] exchanges: is empty"},
		"the default exchange":    {func(c *Config) { c.Exchanges = []string{""} }, `[amqp] exchanges: ""`},
		"a group with a dot":      {func(c *Config) { c.Group = "a.b" }, "[amqp] group"},
		"an unlimited prefetch":   {func(c *Config) { c.Prefetch = 0 }, "[amqp] prefetch: 0 is not between 1 and 65535"},
		"an unbounded queue":      {func(c *Config) { c.Queue.MaxLength = 0 }, "[amqp] queue.max_length: 0"},
		"a queue that stays":      {func(c *Config) { c.Queue.Expires = 0 }, "[amqp] queue.expires: 0s"},
		"half a back-off":         {func(c *Config) { c.Reconnect.Max = time.Millisecond }, "[amqp] reconnect.max: 1ms"},
		"a queue type":            {func(c *Config) { c.Queue.Type = "stream" }, `queue.type: "stream"`},
		"a key without its certs": {func(c *Config) { c.TLS.KeyFile = "k" }, "cert_file and key_file go together"},
		"a bad URL":               {func(c *Config) { c.URLs = []string{"amqp://h", "x://secret"} }, "[amqp] urls[1]: scheme x"},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}

// FuzzTopics: whatever Validate lets through binds one topic's notifications.
func FuzzTopics(f *testing.F) {
	for _, topic := range []string{"notifications", "#", "*", "a.#", "a.*", "", ".", "a.b", "a#"} {
		f.Add(topic)
	}
	f.Fuzz(func(t *testing.T, topic string) {
		cfg := DefaultConfig()
		cfg.Topics = []string{topic}
		if cfg.Validate() != nil {
			return
		}
		if strings.ContainsAny(topic, "#*") || slices.Contains(strings.Split(topic, "."), "") {
			t.Fatalf("topic %q is let through", topic)
		}
	})
}

func TestURLFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "urls")
	text := "# the cells\namqp://u:p@h1/\n\n  rabbit://u:p@h2,h3/v  \n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.URLs, cfg.URLFile = []string{"amqp://u:p@h0/"}, file
	c, err := New(cfg, nil, discard, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range c.Status() {
		names = append(names, s.Broker)
	}
	if want := []string{"h0:5672/", "h1:5672/", "h2:5672,h3:5672/v"}; !slices.Equal(names, want) {
		t.Fatalf("brokers %q", names)
	}
	for text, want := range map[string]string{
		"\namqp://u:secret:h:h/": "line 2: host 1: its port is not a number",
		"amqp://x:secret@h0/":    "line 1: h0:5672/ is named twice",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(cfg, nil, discard, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	cfg.URLs, cfg.URLFile = nil, ""
	if _, err := New(cfg, nil, discard, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "no broker is named") {
		t.Errorf("error %v", err)
	}
}

func TestQueueNameFollowsWhatItDependsOn(t *testing.T) {
	cfg := DefaultConfig()
	name := cfg.QueueName()
	if !regexp.MustCompile(`^horizon-realtime\.default\.[0-9a-f]{12}$`).MatchString(name) {
		t.Fatalf("name %s", name)
	}
	same := cfg
	same.Exchanges = slices.Clone(cfg.Exchanges)
	slices.Reverse(same.Exchanges)
	same.Prefetch++
	if same.QueueName() != name {
		t.Error("the order of the exchanges, or the prefetch, changes the name")
	}
	for what, change := range map[string]func(*Config){
		"length":    func(c *Config) { c.Queue.MaxLength++ },
		"ttl":       func(c *Config) { c.Queue.MessageTTL++; c.Queue.MessageTTL += time.Second },
		"type":      func(c *Config) { c.Queue.Type = "quorum" },
		"exchanges": func(c *Config) { c.Exchanges = []string{"nova"} },
		"topics":    func(c *Config) { c.Topics = []string{"notifications"} },
	} {
		other := cfg
		change(&other)
		if other.QueueName() == name {
			t.Errorf("another %s leaves the name", what)
		}
	}
}

func TestPermissionsMatchOnlyWhatIsOurs(t *testing.T) {
	cfg := DefaultConfig()
	p := cfg.Permissions()
	configure, write, read := regexp.MustCompile(p.Configure), regexp.MustCompile(p.Write), regexp.MustCompile(p.Read)
	for _, own := range []string{cfg.QueueName(), cfg.DeadLetterName()} {
		if !configure.MatchString(own) || !write.MatchString(own) || !read.MatchString(own) {
			t.Errorf("%s is out of reach", own)
		}
	}
	for _, name := range []string{"nova", "openstack"} {
		if configure.MatchString(name) || write.MatchString(name) || !read.MatchString(name) {
			t.Errorf("%s must be readable only", name)
		}
	}
	for _, name := range []string{"notifications.info", "nova_api", "compute.nova", "", "amq.default", "horizon-realtime.other.0", "x-horizon-realtime.default.0"} {
		if configure.MatchString(name) || write.MatchString(name) || read.MatchString(name) {
			t.Errorf("%s is within reach", name)
		}
	}
}

func TestReasonsAreBounded(t *testing.T) {
	m, err := newMetrics(prometheus.NewRegistry(), func() map[string]int { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"not_json: line 3": "not_json", "too deep": "too_deep", "": "other", ": x": "other", "é": "_",
		strings.Repeat("a", 100): strings.Repeat("a", 48),
	} {
		if got := m.reason(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	seen := map[string]bool{}
	for i := range 100 {
		seen[m.reason(strings.Repeat("x", i%40+1))] = true
	}
	if len(seen) > maxReasons+1 || !seen["other"] {
		t.Fatalf("%d labels", len(seen))
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		for range 50 {
			if d := backoff(time.Second, 10*time.Second, n); d < want*time.Second/2 || d > want*time.Second {
				t.Fatalf("pause %d is %s", n, d)
			}
		}
	}
}
