package router

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/agnivade/levenshtein"

	"horizon-realtime/router/admin"
	"horizon-realtime/router/auth"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/regular"
	"horizon-realtime/router/server"
)

// Config is router.toml: one table per package, which that package alone reads.
// The file at the top of the source tree documents every key.
type Config struct {
	AMQP    rabbit.Config              `toml:"amqp"`
	Plugins plugin.Config              `toml:"plugins"`
	Plugin  map[string]plugin.Settings `toml:"plugin"`
	Hub     hub.Config                 `toml:"hub"`
	Server  server.Config              `toml:"server"`
	Auth    auth.Config                `toml:"auth"`
	Admin   admin.Config               `toml:"admin"`
	Log     LogConfig                  `toml:"log"`
	Router  PipelineConfig             `toml:"router"`
}

// LogConfig is the table [log].
type LogConfig struct {
	// Level is the least severe level written: debug, info, warn or error.
	Level slog.Level `toml:"level"`
	// Format is text (key=value) or json.
	Format string `toml:"format"`
}

// PipelineConfig is the table [router].
type PipelineConfig struct {
	// MaxBodyBytes bounds a notification, as it arrives and unpacked.
	MaxBodyBytes int `toml:"max_body_bytes"`
	// NotificationTimeout bounds how long a notification may take, from decoding it to
	// its last plugin. It is put aside when it takes longer.
	NotificationTimeout time.Duration `toml:"notification_timeout"`
	// DedupWindow is how many message ids each worker remembers.
	DedupWindow int `toml:"dedup_window"`
	// DrainTimeout bounds a shutdown as a whole.
	DrainTimeout time.Duration `toml:"drain_timeout"`
}

// DefaultConfig has the value of every key that router.toml leaves out.
func DefaultConfig() Config {
	return Config{
		AMQP:    rabbit.DefaultConfig(),
		Plugins: plugin.DefaultConfig(),
		Hub:     hub.DefaultConfig(),
		Server:  server.DefaultConfig(),
		Auth:    auth.DefaultConfig(),
		Admin:   admin.DefaultConfig(),
		Log:     LogConfig{Level: slog.LevelInfo, Format: "text"},
		Router: PipelineConfig{
			MaxBodyBytes:        oslo.DefaultMaxBodyBytes,
			NotificationTimeout: time.Second,
			DedupWindow:         16384,
			DrainTimeout:        30 * time.Second,
		},
	}
}

// ConfigError lists what is wrong with router.toml, one problem per line, each with
// its place and the way out.
type ConfigError struct {
	File     string
	Problems []string
}

func (e *ConfigError) Error() string {
	return e.File + ": " + strings.Join(e.Problems, "\n"+e.File+": ")
}

// LoadConfig reads and validates the file at path.
//
// # Errors
//
// A *ConfigError lists every problem found; a file that cannot be read is the
// operating system's error.
func LoadConfig(path string) (Config, error) {
	text, err := regular.Read(path, regular.Most)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	return ParseConfig(path, text)
}

// ParseConfig is LoadConfig for a text that has been read; errors name the file
// name.
//
// # Errors
//
// A *ConfigError lists every problem found.
func ParseConfig(name string, text []byte) (Config, error) {
	cfg := DefaultConfig()
	meta, err := toml.NewDecoder(bytes.NewReader(text)).Decode(&cfg)
	if err != nil {
		return Config{}, &ConfigError{name, []string{describeTOML(err)}}
	}
	var problems []string
	for _, key := range meta.Undecoded() {
		if !underUnknown(key, meta.Undecoded()) && !(len(key) > 3 && key[0] == "plugin" && key[2] == "config") {
			problems = append(problems, unknownKey(text, key))
		}
	}
	problems = append(problems, expandEnv(reflect.ValueOf(&cfg).Elem(), "")...)
	if err := cfg.validate(); err != nil {
		problems = append(problems, strings.Split(err.Error(), "\n")...)
	}
	if len(problems) > 0 {
		return Config{}, &ConfigError{name, problems}
	}
	return cfg, nil
}

func (c *Config) validate() error {
	errs := []error{
		c.AMQP.Validate(), c.Plugins.Validate(), plugin.ValidateSettings(c.Plugin),
		c.Hub.Validate(), c.Server.Validate(), c.Auth.Validate(), c.Admin.Validate(),
	}
	if q := c.AMQP.Queue; c.Hub.HistoryFile != "" && min(q.Expires, q.MessageTTL) < c.Hub.HistoryTTL {
		errs = append(errs, fmt.Errorf("[hub] history_file: clients would not be told of what RabbitMQ has dropped before the next router runs; "+
			"history_ttl (%s) is to be at most [amqp.queue] expires (%s) and message_ttl (%s)", c.Hub.HistoryTTL, q.Expires, q.MessageTTL))
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		errs = append(errs, fmt.Errorf(`[log] format = %q: it is "text" or "json"`, c.Log.Format))
	}
	if c.Router.MaxBodyBytes < 1<<10 || c.Router.MaxBodyBytes > 1<<28 {
		errs = append(errs, fmt.Errorf("[router] max_body_bytes = %d: between %d and %d", c.Router.MaxBodyBytes, 1<<10, 1<<28))
	}
	if c.Router.NotificationTimeout < 10*time.Millisecond || c.Router.NotificationTimeout > time.Minute {
		errs = append(errs, fmt.Errorf("[router] notification_timeout = %s: between 10ms and 1m", c.Router.NotificationTimeout))
	}
	if c.Router.DedupWindow < 0 || c.Router.DedupWindow > 1<<22 {
		errs = append(errs, fmt.Errorf("[router] dedup_window = %d: between 0 (off) and %d", c.Router.DedupWindow, 1<<22))
	}
	if c.Router.DrainTimeout < time.Second {
		errs = append(errs, fmt.Errorf("[router] drain_timeout = %s: at least 1s", c.Router.DrainTimeout))
	}
	return errors.Join(errs...)
}

// describeTOML turns the parser's error into `line 3: hub.shards: …`.
func describeTOML(err error) string {
	m := tomlError.FindStringSubmatch(err.Error())
	if m == nil {
		return err.Error()
	}
	key := ""
	if m[2] != "" {
		key = m[2] + ": "
	}
	return "line " + m[1] + ": " + key + wrongType.ReplaceAllString(m[3], "a $1, where $2 is wanted")
}

var wrongType = regexp.MustCompile(`incompatible types: TOML value has type (\w+); destination has type (\w+)`)

// tomlError is how the parser writes its errors, whatever their type.
var tomlError = regexp.MustCompile(`(?s)^toml: line (\d+)(?: \(last key "([^"]*)"\))?: (.*)$`)

// underUnknown reports whether a table above key is already reported.
func underUnknown(key toml.Key, unknown []toml.Key) bool {
	return slices.ContainsFunc(unknown, func(u toml.Key) bool {
		return len(u) < len(key) && slices.Equal(u, key[:len(u)])
	})
}

// unknownKey says where an unknown key is, and which known one resembles it.
func unknownKey(text []byte, key toml.Key) string {
	last := key[len(key)-1]
	what := fmt.Sprintf("unknown key %q", last)
	if len(key) > 1 {
		what += fmt.Sprintf(" in [%s]", strings.Join(key[:len(key)-1], "."))
	}
	if line := lineOf(text, key); line > 0 {
		what = fmt.Sprintf("line %d: %s", line, what)
	}
	best, distance := "", 1+max(2, len(last)/3)
	for _, known := range knownKeys(reflect.TypeFor[Config](), key[:len(key)-1]) {
		if d := levenshtein.ComputeDistance(last, known); d < distance {
			best, distance = known, d
		}
	}
	if best != "" {
		what += fmt.Sprintf("; did you mean %q?", best)
	}
	return what
}

// knownKeys lists the keys that the table at path may have.
func knownKeys(t reflect.Type, path []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if len(path) > 0 && t.Kind() == reflect.Map {
		return knownKeys(t.Elem(), path[1:])
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("toml")
		if len(path) > 0 && name == path[0] {
			return knownKeys(f.Type, path[1:])
		}
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	if len(path) > 0 {
		return nil
	}
	return names
}

var (
	tableLine = regexp.MustCompile(`^\s*\[+\s*([^\]]+?)\s*\]+`)
	keyLine   = regexp.MustCompile(`^\s*([A-Za-z0-9_."'-]+)\s*=`)
)

// lineOf finds the line of a key, or that of the inline table around it, which the
// parser does not tell; 0 if it finds neither.
func lineOf(text []byte, key toml.Key) int {
	for depth := len(key); depth > 0; depth-- {
		want, table := strings.Join(key[:depth], "."), ""
		for i, line := range strings.Split(string(text), "\n") {
			found := table
			if m := tableLine.FindStringSubmatch(line); m != nil {
				table = unquoteKey(m[1])
				found = table
			} else if m := keyLine.FindStringSubmatch(line); m != nil {
				found = strings.TrimPrefix(table+"."+unquoteKey(m[1]), ".")
			} else {
				continue
			}
			if found == want {
				return i + 1
			}
		}
	}
	return 0
}

func unquoteKey(s string) string { return strings.NewReplacer(`"`, "", `'`, "", " ", "").Replace(s) }

var envReference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expandEnv replaces ${VAR} in every string of the configuration, so that secrets
// need not be in the file. A plugin's own configuration is passed on as it is.
func expandEnv(v reflect.Value, path string) (problems []string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(envReference.ReplaceAllStringFunc(v.String(), func(ref string) string {
			name := ref[2 : len(ref)-1]
			value, ok := os.LookupEnv(name)
			if !ok {
				problems = append(problems, fmt.Sprintf("%s refers to ${%s}, which is not set in the environment", path, name))
			}
			return value
		}))
	case reflect.Pointer:
		if !v.IsNil() {
			problems = expandEnv(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			problems = append(problems, expandEnv(v.Index(i), path)...)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name := f.Tag.Get("toml"); name != "" && f.IsExported() {
				problems = append(problems, expandEnv(v.FieldByIndex(f.Index), strings.TrimPrefix(path+"."+name, "."))...)
			}
		}
	}
	return problems
}
