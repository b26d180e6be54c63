package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// TestCommandLine runs what an operator mistypes first, and looks at the code
// and the sentence.
func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("plugins/50-broken.wasm", "this is no WebAssembly")
	typo := write("typo.toml", "[server]\nlissten = \":80\"\n")
	broken := write("broken.toml", "[plugins]\ncache_dir = \"none\"\ndir = \""+dir+"/plugins\"\n")
	noBroker := write("no-broker.toml", "[plugins]\ncache_dir = \"none\"\ndir = \""+dir+"\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[server]\nlisten = \"127.0.0.1:0\"\n")
	recording := write("bad.jsonl", "{\"exchange\": \"nova\"\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"--help"}, cli.OK, "horizon-realtime demo     see it work"},
		{"help of a verb", []string{"replay", "--help"}, cli.OK, "--declare"},
		{"version", []string{"version"}, cli.OK, "plugin ABI 1"},
		{"an unknown verb", []string{"rnu"}, cli.Usage, `there is no command "rnu"; did you mean "run"?`},
		{"an unknown flag", []string{"run", "--config"}, cli.Usage, "unknown flag: --config; see 'horizon-realtime run --help'"},
		{"a superfluous argument", []string{"run", "now"}, cli.Usage, `"now"`},
		{"no configuration", []string{"run", "--config-file", dir + "/none.toml"}, cli.Config, "there is no " + dir + "/none.toml; copy router.toml"},
		{"a typo", []string{"check", "--config-file", typo}, cli.Config, typo + `: line 2: unknown key "lissten" in [server]; did you mean "listen"?`},
		{"a broken plugin", []string{"check", "--config-file", broken}, cli.Config, "plugin 50-broken.wasm: "},
		{"no broker", []string{"run", "--config-file", noBroker}, cli.Config, "[amqp] urls"},
		{"a bad rate", []string{"replay", "--rate", "fast", recording}, cli.Usage, `--rate fast: a number more than 0, or "max"`},
		{"two speeds", []string{"replay", "--rate", "1", "--speed", "1", recording}, cli.Usage, "--speed 1: more than 0, and not together with --rate"},
		{"no recording", []string{"replay", "--url", "amqp://127.0.0.1:1/", dir + "/none"}, cli.Failure, "open the recording"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			code := cli.Execute(context.Background(), newRoot(), c.args, &out, &out)
			if code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("exit code %d, want %d, and %q in:\n%s", code, c.code, c.want, out.String())
			}
		})
	}
}

// TestGrantsComeWithTheStockPlugins checks the shortest configuration that there is:
// without a table of theirs, and without a folder of plugins.
func TestGrantsComeWithTheStockPlugins(t *testing.T) {
	t.Chdir(t.TempDir())
	const config = "[amqp]\nurls = [\"amqp://u:p@127.0.0.1:5672/\"]\n[auth.jwt]\nhmac_secret = \"0123456789abcdef0123456789abcdef\"\n"
	text := func(more string) string {
		if err := os.WriteFile("router.toml", []byte(config+more), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if code := cli.Execute(context.Background(), newRoot(), []string{"check"}, &out, &out); code != cli.OK {
			t.Fatalf("exit code %d; are the stock plugins built?\n%s", code, out.String())
		}
		return out.String()
	}
	for _, want := range []string{
		"50-stock.wasm instances: ok, hears compute.instance.* instance.* compute_task.*\n",
		"grants: admin shared (the stock set); topics: its name\n",
		"topics: zones recordsets (the stock set)\n",
	} {
		if got := text(""); !strings.Contains(got, want) {
			t.Errorf("check does not say %q:\n%s", want, got)
		}
	}
	got := text("[plugin.instances]\ngrants = []\n[plugin.toast]\nenabled = false\n")
	for _, want := range []string{"grants: none; topics: its name\n  it asks for more grants; to allow that, add to [plugin.instances] grants: admin shared\n", "50-stock.wasm toast: disabled\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("with tables, check does not say %q:\n%s", want, got)
		}
	}
}
