package rabbit

import (
	"errors"
	"fmt"
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

// TestBrokerTables: what a table leaves out is as in [amqp], and its mistakes are
// named with it.
func TestBrokerTables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# neutron\nrabbit://u:p@h/neutron?ssl=0\n")
	read := func(text string) ([]target, error) {
		cfg := DefaultConfig()
		if _, err := toml.Decode(strings.ReplaceAll(text, "FILE", file), &cfg); err != nil {
			t.Fatal(err)
		}
		return cfg.addresses()
	}
	all, err := read(`
		urls = ["amqp://u:p@h/"]
		topics = ["notifications"]
		[[broker]]
		url = "rabbit://u:p@h/nova?ssl=1&ssl_ca_file=/ca&heartbeat=30"
		exchanges = ["nova"]
		topics = ["versioned_notifications"]
		[[broker]]
		url_file = "FILE"
		[broker.tls]
		server_name = "n"`)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i, want := range []string{
		"h:5672/ 14 [notifications] 10s {false    }",
		"h:5671/nova 1 [versioned_notifications] 30s {true /ca   }",
		"h:5672/neutron 14 [notifications] 10s {false    n}",
	} {
		c := all[i].cfg
		if got := fmt.Sprint(all[i], " ", len(c.Exchanges), " ", c.Topics, " ", c.Heartbeat, " ", c.TLS); got != want {
			t.Errorf("broker %d: %s, want %s", i, got, want)
		}
		names[c.QueueName()] = true
	}
	if len(names) != 2 { // the first and the last want the same, of different vhosts
		t.Errorf("queues: %v", names)
	}
	write("amqp://u:p@h1/\namqp://u:secret@h2/\n")
	for text, want := range map[string]string{
		"[[broker]]": "[[amqp.broker]] number 1: set url, or url_file",
		"[[broker]]\nurl = 'amqp://h'\nurl_file = 'f'":                    "number 1: set url, or url_file",
		"[[broker]]\nurl_file = 'FILE'":                                   "[[amqp.broker]] number 1: its url_file holds more than one URL",
		"[[broker]]\nurl_file = '/missing'":                               "[[amqp.broker]] number 1: read url_file: open /missing",
		"[[broker]]\nurl = 'kafka://u:secret@h'":                          "[[amqp.broker]] number 1 url: scheme kafka is",
		"[[broker]]\nurl = 'amqp://h'\ntopics = ['#']":                    `[[amqp.broker]] number 1 topics: "#" would`,
		"[[broker]]\nurl = 'amqp://h'\nexchanges = []":                    "[[amqp.broker]] number 1 exchanges: is empty",
		"[[broker]]\nurl = 'amqp://h'\ntls = { key_file = 'k' }":          "[[amqp.broker]] number 1 tls: cert_file and key_file",
		"urls = ['amqp://h']\n[[broker]]\nurl = 'rabbit://u:secret@h,h2'": "[[amqp.broker]] number 1: h:5672,h2:5672/ is named twice",
		"urls = ['rabbit://h?ssl=0']\n[tls]\nenabled = true":              "[amqp] urls[0]: its option ssl is off, and [amqp.tls] enabled",
	} {
		_, err := read(text)
		var cfg Config
		if err == nil || strings.HasPrefix(err.Error(), "[[") {
			cfg = DefaultConfig()
			toml.Decode(strings.ReplaceAll(text, "FILE", file), &cfg)
			err = errors.Join(cfg.Validate(), err)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// TestRefresh changes a file of URLs under a broker that waits to connect again.
func TestRefresh(t *testing.T) {
	cfg := DefaultConfig()
	cfg.URLFile = filepath.Join(t.TempDir(), "urls")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(cfg.URLFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("amqp://u:first@h/\namqp://u:other@h/cell2")
	log := new(strings.Builder)
	c, err := New(cfg, nil, slog.New(slog.NewTextHandler(log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	b := c.brokers[0]
	for _, step := range []struct{ file, want, log string }{
		{"amqp://u:first@h/", "[{h:5672 h u first}]", ""},
		{"amqp://u:other@h/cell2\nrabbit://u:second@h2,h/", "[{h2:5672 h2 u second} {h:5672 h u second}]", "read changed credentials"},
		{"rabbit://u:second@h2,h/", "[{h2:5672 h2 u second} {h:5672 h u second}]", ""},
		{"rabbit://u:secret@h:h/", "[{h2:5672 h2 u second} {h:5672 h u second}]", "cannot be used; the ones before stay in use"},
		{"rabbit://u:secret@h:h/", "[{h2:5672 h2 u second} {h:5672 h u second}]", ""},
		{"amqp://u:third@h3/", "[{h2:5672 h2 u second} {h:5672 h u second}]", "the broker is no longer named"},
		{"amqp://u:third@h2/", "[{h2:5672 h2 u third}]", "read changed credentials"},
	} {
		log.Reset()
		write(step.file)
		if got := fmt.Sprint(b.refresh().hosts); got != step.want {
			t.Errorf("%q: %s, want %s", step.file, got, step.want)
		}
		if got := log.String(); (got == "") != (step.log == "") || !strings.Contains(got, step.log) || strings.Contains(got, "secret") {
			t.Errorf("%q: log %q, want %q", step.file, got, step.log)
		}
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
		"type":      func(c *Config) { c.Queue.Type = "classic" },
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

// TestLookUps counts how often a missing exchange is asked for in a day.
func TestLookUps(t *testing.T) {
	cfg := DefaultConfig()
	day := func(e *exchange) (n int) {
		start := time.Now()
		for now := start; now.Sub(start) < 24*time.Hour; n++ {
			now = now.Add(e.wait(now, cfg))
		}
		return n
	}
	if n := day(&exchange{}); n > 40 {
		t.Errorf("one that was never there: %d times", n)
	}
	if n := day(&exchange{lost: time.Now()}); n < 2880 || n > 3000 {
		t.Errorf("one that was there: %d times", n)
	}
	lost := &exchange{lost: time.Now().Add(-50 * time.Second)}
	if d := lost.wait(time.Now(), cfg); d != time.Second {
		t.Errorf("one that was there lately is asked for after %s", d)
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
