package plugintool

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/cmd/horizon-realtime/clitest"
)

func TestMain(m *testing.M) {
	clitest.Main(m, func() {
		o := &cli.Options{}
		os.Exit(cli.Execute(context.Background(), cli.Root(o, New(o)), os.Args[1:], os.Stdout, os.Stderr))
	})
}

// TestNewBundle makes a bundle, and does with it what is done with a plugin.
func TestNewBundle(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new --bundle pair && cd pair && cp -r states/testdata states/selftests && horizon-realtime plugin build && horizon-realtime plugin test --update")
	out := d.Must("pair", "horizon-realtime plugin test")
	for _, want := range []string{"ok      names/suspended", "ok      states/suspended", "2 cases passed"} {
		if !strings.Contains(out, want) {
			t.Errorf("the tests lack %q:\n%s", want, out)
		}
	}
	var found Inspection
	decode(t, d, "pair", "horizon-realtime plugin inspect --output json 50-pair.wasm", &found)
	pattern := []string{"compute.instance.*"}
	want := []Inspected{
		{Name: "names", Admitted: true, On: pattern, Wants: []string{"/payload/instance_id", "/payload/display_name"}, Topics: []string{"names"}},
		{Name: "states", Admitted: true, On: pattern, Wants: []string{"/payload/instance_id", "/payload/display_name", "/payload/state"}, Topics: []string{"states"}},
	}
	if diff := cmp.Diff(want, found.Plugins); diff != "" || !found.Admitted {
		t.Error(found.Refused, diff)
	}
	out = d.Must("pair", "horizon-realtime plugin run --plugin names 50-pair.wasm recorded.jsonl 2>&1")
	if !strings.Contains(out, "5 emissions of which 0 refused") || !strings.Contains(out, "/names ") || strings.Contains(out, "/states ") {
		t.Error(out)
	}
	d.Must("pair", "horizon-realtime plugin bench --time 50ms --plugin states 50-pair.wasm recorded.jsonl")
	d.Fails("pair", "horizon-realtime plugin run 50-pair.wasm recorded.jsonl", cli.Usage, "50-pair.wasm carries several plugins; name one with --plugin: names states")
	d.Fails("pair", "horizon-realtime plugin run --plugin ports 50-pair.wasm recorded.jsonl", cli.Usage, "--plugin ports: 50-pair.wasm carries names states")
	d.Must("pair", `sed -i 's/"name": "web-2"/"name": "web-3"/' states/selftests/*.json`)
	d.Fails("pair", "horizon-realtime plugin build", cli.Failure, "plugin states of 50-pair.wasm: it fails its own self-test 1")
}

// TestNewPlugin makes a plugin, builds and tests it without a network, and looks
// at it in every way there is.
func TestNewPlugin(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new sizes && cd sizes && horizon-realtime plugin build && horizon-realtime plugin test")
	if text := d.Read("sizes/50-sizes.wasm"); !strings.HasPrefix(text, "\x00asm") {
		t.Errorf("the module begins with %q", text[:min(8, len(text))])
	}

	var found Inspection
	decode(t, d, "sizes", "horizon-realtime plugin inspect --output json 50-sizes.wasm", &found)
	if !found.Admitted || found.ABI != 1 || found.Name != "sizes" || found.Signed || found.MemoryLimitBytes != 16<<20 {
		t.Errorf("%+v", found)
	}
	if diff := cmp.Diff([]string{"compute.instance.*"}, found.On); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/payload/instance_id", "/payload/display_name", "/payload/state"}, found.Wants); diff != "" {
		t.Error(diff)
	}
	if text := strings.Join(found.Imports, "\n"); !strings.Contains(text, "hr.subscribe (i32, i32)") {
		t.Error(text)
	}

	lines := strings.Split(strings.TrimSpace(d.Must("sizes", "horizon-realtime plugin run --output json 50-sizes.wasm recorded.jsonl 2>/dev/null")), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines: %s", len(lines), lines)
	}
	var first heard
	if err := json.Unmarshal([]byte(lines[3]), &first); err != nil {
		t.Fatal(err)
	}
	want := "project/d96e30703c554188b91cd55df3f933f2/sizes fa3c8081-838d-4556-986e-59cd9b1d6aad " +
		`{"event":"compute.instance.suspend.end","id":"fa3c8081-838d-4556-986e-59cd9b1d6aad","name":"web-2","state":"suspended","at":"2026-11-23T14:51:47.824Z"}`
	if first.Line != 4 || len(first.Emissions) != 1 || first.Emissions[0].String() != want || first.Emissions[0].Refused != "" {
		t.Errorf("%+v", first)
	}
	packed := d.Must("sizes", "gzip -k recorded.jsonl && horizon-realtime plugin run 50-sizes.wasm recorded.jsonl.gz")
	if plain := d.Must("sizes", "horizon-realtime plugin run 50-sizes.wasm - <recorded.jsonl"); packed != plain || !strings.Contains(plain, "5 emissions of which 0 refused") {
		t.Error(plain)
	}

	var m Measurement
	decode(t, d, "sizes", "horizon-realtime plugin bench --time 50ms --output json 50-sizes.wasm recorded.jsonl", &m)
	if m.Heard != 5 || m.Emissions != 1 || m.Fuel.P50 <= 0 || m.Fuel.Max > float64(m.FuelLimit) || m.Nanoseconds.P99 < m.Nanoseconds.P50 || m.HostAllocations > 1 || m.Isolation <= 0 {
		t.Errorf("%+v", m)
	}

	var report testReport
	decode(t, d, "sizes", "horizon-realtime plugin test --output json", &report)
	if report.Native == nil || !report.Native.OK || report.Wasm == nil || len(report.Wasm.Cases) != 1 || !report.Wasm.Cases[0].OK {
		t.Errorf("%+v", report)
	}
	d.Must("sizes", "horizon-realtime plugin test 50-sizes.wasm")
}

// decode runs a command and reads the JSON that it prints.
func decode(t *testing.T, d *clitest.Desk, dir, line string, into any) {
	t.Helper()
	out := d.Must(dir, line+" 2>/dev/null")
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// TestBuildIsReproducible builds the same source in two folders.
func TestBuildIsReproducible(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "mkdir a b && horizon-realtime plugin new a/sizes && cp -r a/sizes b/ && horizon-realtime plugin build a/sizes && horizon-realtime plugin build b/sizes && cmp a/sizes/50-sizes.wasm b/sizes/50-sizes.wasm")
}

// trouble is a plugin that does what its configuration says, so that one build
// serves for many ways to go wrong.
const trouble = `package main

import "horizon-realtime/sdk"

var (
	id   = sdk.Want("/payload/instance_id")
	stat = sdk.Want("/payload/stat") // which is misspelt
	does string
)

type refusal string

func (r refusal) Error() string { return string(r) }

func init() {
	sdk.Register(sdk.Filter{On: []string{"compute.instance.*"}, Start: start, Handle: handle})
}

func start(config sdk.Value) error {
	if does = config.Member("does").Text(); does == "refuse" {
		return refusal("set least in its config")
	}
	return nil
}

func handle(e *sdk.Event) {
	m := e.Object()
	m.Value("id", e.Get(id))
	m.Value("stat", e.Get(stat))
	channel := sdk.Project(e.Project(), "trouble")
	switch does {
	case "tell admins":
		channel = sdk.Admin("trouble")
	case "shout":
		channel = sdk.Project(e.Project(), "TROUBLE")
	case "tell another project":
		channel = sdk.Project("f4c3", "trouble")
	case "emit too much":
		m.String("all", string(make([]byte, 12000)))
	case "panic":
		if e.Type() == "compute.instance.suspend.end" {
			panic("no suspended servers, please")
		}
	case "loop":
		for e.Type() != "" {
		}
	}
	e.Emit(channel, e.Get(id).Text(), m)
}

func main() {}
`

// TestMistakes makes the mistakes that authors make, and looks at what they are
// told.
func TestMistakes(t *testing.T) {
	d := clitest.NewDesk(t)
	register := "func init() {\n\tsdk.Register(sdk.Filter{On: []string{\"compute.instance.*\"}, Handle: handle})\n}\n"
	for _, f := range []struct{ name, before, after string }{
		{"fine", "package main", "package main"},
		{"typo", "m.String(", "m.Strung("},
		{"forgotten", register, "var _ = handle\n"},
		{"pointer", `"/payload/state"`, `"payload.state"`},
		{"library", "package main", "package library"},
		{"trouble", "package main", "package main"},
	} {
		if _, err := create(filepath.Join(d.Dir, f.name), false); err != nil {
			t.Fatal(err)
		}
		d.Replace(f.name+"/main.go", f.before, f.after)
	}
	d.Write("trouble/main.go", trouble)
	for _, does := range []string{"refuse", "tell admins", "shout", "tell another project", "emit too much", "panic", "loop"} {
		d.Write(strings.ReplaceAll(does, " ", "-")+".toml", fmt.Sprintf("[plugin.trouble]\nconfig = { does = %q }\n", does))
	}
	d.Replace("trouble/testdata/suspended.json", `"notification"`, `"config": {"does": "tell another project"}, "notification"`)
	d.Write("empty.jsonl", "\n")
	d.Write("volume.jsonl", `{"message_id": "1", "event_type": "volume.create.end", "publisher_id": "p", "priority": "INFO", "timestamp": "2026-11-23 14:51:47.824", "payload": {}}`)
	d.Write("small.toml", "[plugins]\nmax_module_bytes = 100_000\n")
	d.Write("bad.toml", "[plugins]\nfule = 1\n")
	d.Must("", "horizon-realtime plugin build fine && horizon-realtime plugin build trouble")
	d.Must("", "mkdir nowhere plain old empty && printf 'module plain\\n\\ngo 1.24\\n' >plain/go.mod && printf 'package main\\n\\nfunc main() {}\\n' >plain/main.go")
	d.Write("old/go", "#!/bin/sh\nprintf 'go1.22.3\\n/x/go.mod\\n'\n")
	d.Must("", "chmod 700 old/go && mkdir nogo && ln -s \"$(command -v sh)\" nogo/sh && ln -s \"$(command -v horizon-realtime)\" nogo/ && cp fine/50-fine.wasm fine.txt && echo no >no.wasm")
	d.Must("", "(cd plain && GOOS=wasip1 GOARCH=wasm go build -o ../program.wasm .)")

	for _, c := range []struct {
		name, line string
		code       int
		wants      []string
	}{
		{"no verb like that", "plugin nwe", cli.Usage, []string{`there is no command "nwe"`}},
		{"an unknown output", "plugin inspect --output yaml fine/50-fine.wasm", cli.Usage, []string{`--output yaml: it is "text" or "json"`}},
		{"new without a name", "plugin new", cli.Usage, []string{"new wants NAME"}},
		{"new with capitals", "plugin new Volumes", cli.Usage, []string{`bad name "Volumes": 1 to 64 characters of a-z 0-9 _ -`}},
		{"new with a number", "plugin new 50-volumes", cli.Usage, []string{`call it "volumes", and its file 50-volumes.wasm`}},
		{"new that is there", "plugin new fine", cli.Failure, []string{"fine is there already, and nothing is overwritten"}},

		{"build nothing", "plugin build none", cli.Failure, []string{"look at the plugin's folder", "no such file"}},
		{"build a file", "plugin build fine/main.go", cli.Failure, []string{"is no folder; name the one that holds the plugin's main.go"}},
		{"build without a module", "plugin build nowhere", cli.Failure, []string{"is in no Go module", "plugin new NAME"}},
		{"build what does not compile", "plugin build typo", cli.Failure, []string{"main.go:", "m.Strung undefined", "go build: exit status 1"}},
		{"build without Register", "plugin build forgotten", cli.Failure, []string{"a router would refuse it", "call sdk.Register in an init function"}},
		{"build with a wrong pointer", "plugin build pointer", cli.Failure, []string{"plugin 50-pointer.wasm: its subscription is wrong", "payload.state"}},
		{"build what refuses", "plugin build --config-file refuse.toml --out 90-trouble.wasm trouble", cli.Failure, []string{"refuses to start", "set least in its config"}},
		{"build a library", "plugin build library", cli.Failure, []string{"go build"}},
		{"build without the sdk", "plugin build plain", cli.Failure, []string{`it has no export "hr_abi_1"`, "build it with the sdk"}},
		{"build to a strange name", "plugin build --out fine.bin fine", cli.Usage, []string{"a router loads files whose names end in .wasm"}},
		{"build over the limits", "plugin build --config-file small.toml fine", cli.Failure, []string{"raise [plugins] max_module_bytes"}},
		{"build with a bad configuration", "plugin build --config-file bad.toml fine", cli.Config, []string{`unknown key "fule"`}},

		{"inspect nothing", "plugin inspect none.wasm", cli.Failure, []string{"no such file"}},
		{"inspect another ending", "plugin inspect fine.txt", cli.Failure, []string{"names end in .wasm; rename it"}},
		{"inspect no module", "plugin inspect no.wasm", cli.Failure, []string{"no.wasm: 3 bytes, refused", "it is no WebAssembly module"}},
		{"inspect a program", "plugin inspect program.wasm", cli.Failure, []string{"exports  _start", `it has no export "hr_abi_1"`}},

		{"run what is not granted", "plugin run --config-file tell-admins.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"REFUSED  admin/trouble", "the grant admin to emit", "the router would refuse 5 emissions"}},
		{"run with an unknown grant", "plugin run --grant root fine/50-fine.wasm fine/recorded.jsonl", cli.Usage, []string{`--grant: unknown grant "root"; there are admin, cross_project, shared, stop`}},
		{"run on a bad channel", "plugin run --config-file shout.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"bad channel: a topic has 1 to 64 characters of a-z 0-9 _ -"}},
		{"run with a field that nothing has", "plugin run trouble/50-trouble.wasm fine/recorded.jsonl", cli.OK, []string{"note: the plugin wants /payload/stat, which none of the notifications has"}},
		{"run what emits too much", "plugin run --config-file emit-too-much.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"DROPPED  1 emission; the log says why", "over the limit of 65536; send less, or raise [plugins] bytes_per_emission", "the router would drop 5 emissions"}},
		{"run what tells another project", "plugin run --config-file tell-another-project.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"REFUSED  project/f4c3/trouble", "cross_project"}},
		{"test what tells another project", "plugin test trouble", cli.Failure, []string{"emits to project/f4c3/trouble, but the owners are project"}},
		{"run what panics", "plugin run --config-file panic.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"FAILED", "no suspended servers, please", "4 emissions", "1 call failed"}},
		{"run what loops", "plugin run --config-file loop.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"units of fuel; do less, or raise [plugin.trouble] fuel", "5 calls failed"}},
		{"run on no recording", "plugin run fine/50-fine.wasm none.jsonl", cli.Failure, []string{"open the recording"}},
		{"run on an empty recording", "plugin run fine/50-fine.wasm empty.jsonl", cli.Failure, []string{"the recording is empty"}},
		{"run on another file", "plugin run fine/50-fine.wasm fine/main.go", cli.Failure, []string{"line 1: it is no notification", "one JSON object per line"}},
		{"build in a pipeline what does not compile", "plugin build --output json typo 2>/dev/null", cli.Failure, []string{"{\n  \"error\": \"build ", "go build: exit status 1\"\n}\n"}},
		{"build in a pipeline what is refused", "plugin build --output json pointer 2>/dev/null", cli.Failure, []string{`"admitted": false`, `"refused": "plugin 50-pointer.wasm: its subscription is wrong`}},
		{"run in a pipeline on no recording", "plugin run --output json fine/50-fine.wasm none.jsonl 2>/dev/null", cli.Failure, []string{`"error": "open the recording: `}},
		{"bench on nothing heard", "plugin bench fine/50-fine.wasm volume.jsonl", cli.Failure, []string{"asked for none of the 1 notifications; it hears [compute.instance.*]"}},
		{"bench what panics", "plugin bench --config-file panic.toml trouble/50-trouble.wasm fine/recorded.jsonl", cli.Failure, []string{"line 4: plugin 50-trouble.wasm", "no suspended servers, please"}},
		{"bench for no time", "plugin bench --time 0s fine/50-fine.wasm fine/recorded.jsonl", cli.Usage, []string{"--time 0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.For(t).Fails("", "horizon-realtime "+c.line, c.code, c.wants...)
		})
	}
	t.Run("granted", func(t *testing.T) {
		d.For(t).Must("", "horizon-realtime plugin run --config-file tell-admins.toml --grant admin trouble/50-trouble.wasm fine/recorded.jsonl")
	})
	t.Run("no go", func(t *testing.T) {
		d.For(t).Fails("", "PATH=$PWD/nogo horizon-realtime plugin build fine", cli.Failure, "there is no go command in PATH", "https://go.dev/dl/")
	})
	t.Run("old go", func(t *testing.T) {
		d.For(t).Fails("", "PATH=$PWD/old:$PATH horizon-realtime plugin build fine", cli.Failure, "the go command is go1.22.3", "install Go 1.24 or newer")
	})
	t.Run("a refused module stays away", func(t *testing.T) {
		for _, pattern := range []string{"forgotten/*.wasm*", "pointer/*.wasm*", ".*.part", "90-trouble.wasm"} {
			if left, _ := filepath.Glob(filepath.Join(d.Dir, pattern)); left != nil {
				t.Error(left)
			}
		}
	})
}

// TestFailingCases changes a golden case in ways that a plugin does not fulfil.
func TestFailingCases(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new sizes")
	d.Must("sizes", "horizon-realtime plugin build")
	good := d.Read("sizes/testdata/suspended.json")
	var native, compiled []string
	for _, c := range []struct{ name, before, after, native, compiled string }{
		{"another value", `"state": "suspended",
        "at"`, `"state": "SUSPENDED",
        "at"`, `emission 0 payload /state: got "suspended", want "SUSPENDED"`, `emission 0 payload /state: got "suspended", want "SUSPENDED"`},
		{"another channel", `d96e30703c554188b91cd55df3f933f2/sizes`, `d96e30703c554188b91cd55df3f933f2/boxes`, `emission 0 channel: got`, `emission 0 channel: got "project/d96e30703c554188b91cd55df3f933f2/sizes", want`},
		{"a member more", `"state": "suspended",
        "at"`, `"state": "suspended", "host": "cloud1",
        "at"`, `emission 0 payload /host: got nothing, want "cloud1"`, `emission 0 payload /host: got nothing, want "cloud1"`},
		{"another owner", `"project": "d96e30703c554188b91cd55df3f933f2",`, `"project": "another",`, `emission 0 channel: got "project/another/sizes"`, `the router finds that project "d96e30703c554188b91cd55df3f933f2" and user`},
		{"another event", `"event_type": "compute.instance.suspend.end"`, `"event_type": "volume.resize.end"`, "not asked for this event type", "has not asked for volume.resize.end; it hears compute.instance.*"},
		{"stopping", `"emissions"`, `"stop": true, "emissions"`, "stopped: false, want true", "stopped: got false, want true"},
	} {
		if !strings.Contains(good, c.before) {
			t.Fatalf("the case has no %q", c.before)
		}
		d.Write("sizes/testdata/"+c.name+".json", strings.ReplaceAll(good, c.before, c.after))
		native, compiled = append(native, c.native), append(compiled, c.compiled)
	}
	d.Fails("sizes", "horizon-realtime plugin test", cli.Failure, native...)
	d.Fails("sizes", "horizon-realtime plugin test 50-sizes.wasm", cli.Failure, append(compiled, "6 of 7 cases failed")...)
	d.Write("sizes/testdata/misspelt.json", strings.ReplaceAll(good, "emissions", "emisions"))
	for _, what := range []string{"", " 50-sizes.wasm"} {
		d.Fails("sizes", "horizon-realtime plugin test"+what, cli.Failure, `unknown field "emisions"`)
	}
	d.Must("sizes/testdata", "find . -not -name suspended.json -type f -delete")
	d.Write("sizes/testdata/suspended.json", strings.Replace(good, `"name": "web-2"`, `"name": "?"`, 1))
	d.Must("sizes", "horizon-realtime plugin test --update && horizon-realtime plugin test")
	d.Fails("sizes", "horizon-realtime plugin test --update 50-sizes.wasm", cli.Usage, "name the folder")
	d.Fails("sizes", "horizon-realtime plugin test --cases none 50-sizes.wasm", cli.Failure, "no golden cases in none")
}

// TestUpdate puts the program's own SDK into the place of another.
func TestUpdate(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new sizes")
	d.Must("sizes", "echo '// of last year' >>horizon-realtime/sdk/doc.go && touch horizon-realtime/sdk/gone.txt")
	if out := d.Must("sizes", "horizon-realtime plugin build"); !strings.Contains(out, "`horizon-realtime plugin update` would renew it") {
		t.Error(out)
	}
	d.Must("sizes", "horizon-realtime plugin update")
	if out := d.Must("sizes", "horizon-realtime plugin build"); strings.Contains(out, "note:") {
		t.Error(out)
	}
	if _, err := os.Stat(filepath.Join(d.Dir, "sizes/horizon-realtime/sdk/gone.txt")); err == nil {
		t.Error("a file of the old SDK is left")
	}
	d.Fails("", "horizon-realtime plugin update .", cli.Failure, "has no SDK of `plugin new`", "nothing was changed")
}

// TestSelfTests ships a plugin with a case that it fulfils, and with one that it
// does not.
func TestSelfTests(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new sizes")
	d.Must("sizes", "cp -r testdata selftests && horizon-realtime plugin build && grep -c hr_selftests 50-sizes.wasm")
	d.Write("sizes/selftests/suspended.json", strings.Replace(d.Read("sizes/testdata/suspended.json"), `"suspended",
        "at"`, `"SUSPENDED",
        "at"`, 1))
	d.Fails("sizes", "horizon-realtime plugin build", cli.Failure, "a router would refuse it", "it fails its own self-test 1", "and should be project/")
	d.Write("sizes/selftests/suspended.json", "{")
	d.Fails("sizes", "horizon-realtime plugin build", cli.Failure, "read the golden case", "selftests/suspended.json")
}

// TestSign signs a plugin, has it admitted where signatures are required, and
// tampers with it.
func TestSign(t *testing.T) {
	d := clitest.NewDesk(t)
	d.Must("", "horizon-realtime plugin new sizes")
	d.Must("sizes", "horizon-realtime plugin build")
	table := d.Must("sizes", "horizon-realtime plugin keygen key.pem")
	d.Write("sizes/router.toml", table)
	d.Fails("sizes", "horizon-realtime plugin inspect 50-sizes.wasm", cli.Failure, "it has no signature")
	d.Must("sizes", "horizon-realtime plugin sign 50-sizes.wasm --key key.pem && horizon-realtime plugin inspect 50-sizes.wasm && horizon-realtime plugin build --out elsewhere.wasm")
	d.Must("sizes", "openssl pkey -in key.pem -pubout -out public.pem && base64 -d 50-sizes.wasm.sig >raw.sig && "+
		"(printf 'horizon-realtime plugin\\nsizes\\n0\\n'; cat 50-sizes.wasm) >signed && openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in signed -sigfile raw.sig")
	// Neither it nor its signature is worth anything under another name.
	d.Must("sizes", "cp 50-sizes.wasm 50-others.wasm && cp 50-sizes.wasm.sig 50-others.wasm.sig")
	d.Fails("sizes", "horizon-realtime plugin inspect 50-others.wasm", cli.Failure, "it is the plugin sizes, version 0, under another name; call the file NN-sizes.wasm")
	d.Fails("sizes", "horizon-realtime plugin sign 50-others.wasm --key key.pem", cli.Failure, "is the plugin sizes, version 0, so a router would not load it under this name")
	d.Must("sizes", "horizon-realtime plugin label 50-others.wasm --version 1.0")
	d.Fails("sizes", "horizon-realtime plugin inspect 50-others.wasm", cli.Failure, "its signature is by none of [plugins] public_keys, or of another file, name or version")
	d.Fails("sizes", "horizon-realtime plugin label 50-others.wasm", cli.Usage, "--version is missing")
	d.Fails("sizes", "horizon-realtime plugin label 50-others.wasm --version v1", cli.Usage, "numbers with dots")
	d.Write("sizes/VERSION", "1.2.0\n")
	if out := d.Must("sizes", "horizon-realtime plugin build && horizon-realtime plugin sign 50-sizes.wasm --key key.pem && horizon-realtime plugin inspect 50-sizes.wasm"); strings.Count(out, "version  1.2.0") != 2 || !strings.Contains(out, "for sizes, version 1.2.0") {
		t.Error(out)
	}
	d.Must("sizes", "openssl genpkey -algorithm ed25519 -out other.pem && chmod 600 other.pem && openssl genpkey -algorithm rsa -out rsa.pem && chmod 600 rsa.pem public.pem && horizon-realtime plugin sign 50-sizes.wasm --key other.pem")
	d.Fails("sizes", "horizon-realtime plugin inspect 50-sizes.wasm", cli.Failure, "its signature is by none of [plugins] public_keys")
	for line, want := range map[string]string{
		"keygen key.pem":                             "a key is not overwritten",
		"sign 50-sizes.wasm --key none.pem":          "there is no key none.pem; make one with",
		"sign 50-sizes.wasm --key public.pem":        `holds a "PUBLIC KEY" and no unencrypted "PRIVATE KEY"`,
		"sign 50-sizes.wasm --key rsa.pem":           "is no Ed25519 key",
		"sign 50-sizes.wasm --key main.go":           "has mode 0644, so others can sign as you do; chmod 600 it",
		"sign main_test.go --key key.pem":            "is no WebAssembly module",
		"sign none.wasm --key key.pem":               "read the plugin",
		"sign 50-sizes.wasm --key 50-sizes.wasm":     "has mode 0644",
		"sign 50-sizes.wasm --key elsewhere.wasm.no": "there is no key",
	} {
		d.Fails("sizes", "chmod 644 main.go; horizon-realtime plugin "+line, cli.Failure, want)
	}
	d.Fails("sizes", "horizon-realtime plugin sign 50-sizes.wasm", cli.Usage, "--key is missing")
}
