package router

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"horizon-realtime/router/plugin"
)

// The file at the top of the tree is the reference, so it must hold every key,
// and what it sets must be the defaults.
func TestDefaultFile(t *testing.T) {
	got, err := LoadConfig("../router.toml")
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	got.Plugin = nil // grants of stock filters, documented there
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("router.toml sets something else than the default (-default +file):\n%s", diff)
	}
	text, err := os.ReadFile("../router.toml")
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	var look func(table string, typ reflect.Type)
	look = func(table string, typ reflect.Type) {
		for _, f := range reflect.VisibleFields(typ) {
			name := f.Tag.Get("toml")
			switch {
			case f.Anonymous: // its fields are visible too
			case name == "":
				t.Errorf("%s.%s has no toml name", typ, f.Name)
			case name == "-": // from another table
			case f.Type.Kind() == reflect.Struct:
				look(strings.TrimPrefix(table+"."+name, "."), f.Type)
			case f.Type.Kind() == reflect.Map:
			default:
				keys++
				in := section(string(text), table)
				if !regexp.MustCompile(`(?m)^(# )?`+name+` = `).MatchString(in) && !strings.Contains(string(text), "\n# [["+table+"."+name+"]]\n") {
					t.Errorf("router.toml does not mention [%s] %s", table, name)
				}
			}
		}
	}
	look("", reflect.TypeFor[Config]())
	if keys < 60 {
		t.Errorf("looked at %d keys only", keys)
	}
	if tables := mustLoad(t).Plugin; len(tables) > 0 {
		t.Errorf("router.toml has tables of plugins, whose keys are no defaults: %v", tables)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[plugin.Settings]()) {
		if name := f.Tag.Get("toml"); !regexp.MustCompile(`(?m)^#   (\w+, )*` + name + `\b`).Match(text) {
			t.Errorf("router.toml does not mention [plugin.X] %s", name)
		}
	}
}

func mustLoad(t *testing.T) Config {
	t.Helper()
	cfg, err := LoadConfig("../router.toml")
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// section is the text between [table] and the next table.
func section(text, table string) string {
	_, rest, _ := strings.Cut(text, "\n["+table+"]")
	in, _, _ := strings.Cut(rest, "\n[")
	return in
}

func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a typo", "[server]\n\nlissten = \":80\"\n", []string{`line 3: unknown key "lissten" in [server]; did you mean "listen"?`}},
		{"a typo in a table", "[log]\nlevel = \"info\"\n[severs]\nlisten = \":80\"\n", []string{`line 3: unknown key "severs"; did you mean "server"?`}},
		{"a typo in a nested table", "[auth.jtw]\naudience = \"x\"\n", []string{`line 1: unknown key "jtw" in [auth]; did you mean "jwt"?`}},
		{"a typo in a plugin's table", "[plugin.a]\nfule = 1\n", []string{`line 2: unknown key "fule" in [plugin.a]; did you mean "fuel"?`}},
		{"a typo in an inline table", "auth = { jwt = { isuer = \"x\" } }\n", []string{`line 1: unknown key "isuer" in [auth.jwt]; did you mean "issuer"?`}},
		{"nothing near", "[server]\nfrobnicate = 1\n", []string{`line 2: unknown key "frobnicate" in [server]`}},
		{"two typos", "[server]\nlissten = 1\n[hub]\nshard = 1\n", []string{
			`line 2: unknown key "lissten" in [server]; did you mean "listen"?`, `line 4: unknown key "shard" in [hub]; did you mean "shards"?`}},
		{"a wrong type", "[hub]\nshards = \"two\"\n", []string{`line 2: hub.shards: a string, where integer is wanted`}},
		{"no TOML", "[server\nlisten = 1\n", []string{`line 2: expected '.' or ']' to end table name`}},
		{"a bad duration", "[hub]\nhistory_ttl = \"5 minutes\"\n", []string{`line 2: hub.history_ttl: invalid duration: "5 minutes"`}},
		{"out of range", "[hub]\nhistory_ttl = \"1ms\"\n", []string{`[hub] history_ttl = 1ms: between 1s and 24h`}},
		{"a history that outlives the queue", "[hub]\nhistory_file = \"/x\"\nhistory_ttl = \"2h\"\n", []string{
			"[hub] history_file: clients would not be told of what RabbitMQ has dropped"}},
		{"a bad level", "[log]\nlevel = \"loud\"\n", []string{`line 2: log.level: `}},
		{"a bad format", "[log]\nformat = \"xml\"\n", []string{`[log] format = "xml": it is "text" or "json"`}},
		{"no such variable", "[auth.jwt]\nhmac_secret = \"${NO_SUCH_VARIABLE_HERE}\"\n", []string{
			`auth.jwt.hmac_secret refers to ${NO_SUCH_VARIABLE_HERE}, which is not set in the environment`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig("router.toml", []byte(c.text))
			var config *ConfigError
			if !errors.As(err, &config) {
				t.Fatalf("got %v, want a ConfigError", err)
			}
			if len(config.Problems) != len(c.want) {
				t.Fatalf("got %q, want %q", config.Problems, c.want)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(config.Problems[i], want) {
					t.Errorf("got %q, want %q", config.Problems[i], want)
				}
			}
		})
	}
}

func TestParseConfigExpandsTheEnvironment(t *testing.T) {
	t.Setenv("TEST_SECRET", "s3cret-0123456789-0123456789-0123")
	cfg, err := ParseConfig("router.toml", []byte(`
[amqp]
urls = ["amqp://user:${TEST_SECRET}@host/"]
[[amqp.broker]]
url = "amqp://user:${TEST_SECRET}@host/nova"
[amqp.broker.tls]
ca_file = "/${TEST_SECRET}"
[auth.jwt]
hmac_secret = "${TEST_SECRET}"
[plugin.x]
config = { text = "${TEST_SECRET}", deep = { n = 1 } }
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.AMQP.URLs[0]; got != "amqp://user:s3cret-0123456789-0123456789-0123@host/" {
		t.Errorf("url: %q", got)
	}
	if b := cfg.AMQP.Brokers[0]; b.URL != "amqp://user:s3cret-0123456789-0123456789-0123@host/nova" || b.TLS.CAFile != "/s3cret-0123456789-0123456789-0123" {
		t.Errorf("broker: %+v", b)
	}
	if got := cfg.Auth.JWT.HMACSecret; got != "s3cret-0123456789-0123456789-0123" {
		t.Errorf("secret: %q", got)
	}
	want := plugin.Settings{Config: map[string]any{"text": "${TEST_SECRET}", "deep": map[string]any{"n": int64(1)}}}
	if diff := cmp.Diff(want, cfg.Plugin["x"]); diff != "" {
		t.Errorf("a plugin's config is not for us to change:\n%s", diff)
	}
}
