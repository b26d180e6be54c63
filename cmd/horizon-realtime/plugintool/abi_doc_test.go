package plugintool

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
	"horizon-realtime/sdk/abi"
)

const abiPage = "../../../docs/plugin-abi.md"

// block gives what the page has between ```kind and ```.
func block(t *testing.T, kind string) string {
	t.Helper()
	_, rest, found := strings.Cut(page(t), "\n```"+kind+"\n")
	text, _, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed {
		t.Fatalf("%s has no block %q", abiPage, kind)
	}
	return text
}

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(abiPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var hexLine = regexp.MustCompile(`^([0-9a-f]{4})  ([0-9a-f]{2}(?: [0-9a-f]{2})*)  (.+)$`)

// dump gives the bytes of an annotated block of the page.
func dump(t *testing.T, kind string) []byte {
	t.Helper()
	var all []byte
	for line := range strings.Lines(block(t, kind)) {
		parts := hexLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if parts == nil || parts[1] != fmt.Sprintf("%04x", len(all)) {
			t.Fatalf("%s: after %d bytes: %q", kind, len(all), line)
		}
		part, err := hex.DecodeString(strings.ReplaceAll(parts[2], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
	}
	return all
}

// loadText assembles a module with wabt's wat2wasm and loads it.
func loadText(t *testing.T, text string) *Trial {
	t.Helper()
	dir := t.TempDir()
	source, module := filepath.Join(dir, "plugin.wat"), filepath.Join(dir, "50-plugin.wasm")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if message, err := exec.Command("wat2wasm", source, "-o", module).CombinedOutput(); err != nil {
		t.Fatalf("assemble a plugin with wat2wasm (Debian package wabt): %v\n%s", err, message)
	}
	c := plugin.DefaultConfig()
	c.CacheDir = "none"
	trial, err := loadTrial(context.Background(), module, "", Setup{Plugins: c, Tables: map[string]plugin.Settings{
		strings.TrimSuffix(strings.TrimPrefix(filepath.Base(module), "50-"), ".wasm"): {Grants: []string{"stop"}, Topics: []string{"sizes"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trial.Close)
	return trial
}

func example(t *testing.T) *event.Notification {
	t.Helper()
	n := new(event.Notification)
	if err := oslo.NewDecoder(oslo.DefaultConfig()).Decode(n, []byte(block(t, "json")), ""); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestScratchBlockOfThePage has a plugin log what it is given, and compares.
func TestScratchBlockOfThePage(t *testing.T) {
	dumper, err := os.ReadFile("testdata/dump.wat")
	if err != nil {
		t.Fatal(err)
	}
	trial := loadText(t, string(dumper))
	var got strings.Builder
	for _, line := range trial.Send(context.Background(), example(t)).Log {
		got.WriteString(line.Text)
	}
	if diff := cmp.Diff(hex.EncodeToString(dump(t, "scratch")), got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestPluginOfThePage runs the page's plugin, whose answer is the page's result
// block.
func TestPluginOfThePage(t *testing.T) {
	trial := loadText(t, block(t, "wat"))
	a := trial.Send(context.Background(), example(t))
	if len(a.Emissions) != 1 || !a.Stopped || a.Fault != "" {
		t.Fatalf("%+v", a)
	}
	if e := a.Emissions[0]; e.String() != `project/p1/sizes v1 {"resized":true}` || e.Refused != "" {
		t.Errorf("%+v", e)
	}
	module, err := os.ReadFile(filepath.Join(trial.dir, "50-plugin.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(module, dump(t, "result")) {
		t.Error("the plugin's answer is not the page's result block")
	}
	if diff := cmp.Diff([]string{"/payload/volume_id", "/payload/size"}, trial.Status().Wants); diff != "" {
		t.Error(diff)
	}
}

// TestImportsOfThePage imports every function of the page's table, with the
// types it says; the router refuses a module whose types are others.
func TestImportsOfThePage(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| `\\(([^)]*)\\)(?: -> (i32|i64))?` \\|").FindAllStringSubmatch(page(t), -1)
	var text strings.Builder
	text.WriteString("(module\n")
	var names []string
	for _, row := range rows {
		if row[1] == abi.Init || row[1] == abi.Event || row[1] == "_initialize" {
			continue
		}
		names = append(names, row[1])
		fmt.Fprintf(&text, "(import \"hr\" %q (func $%s (param %s)", row[1], row[1], strings.ReplaceAll(row[2], ",", ""))
		if row[3] != "" {
			fmt.Fprintf(&text, " (result %s)", row[3])
		}
		text.WriteString("))\n")
	}
	want := []string{abi.ImportSubscribe, abi.ImportConfig, abi.ImportLog, abi.ImportField, abi.ImportRaw,
		abi.ImportKVGet, abi.ImportKVSet, abi.ImportKVDelete, abi.ImportNow}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatal(diff)
	}
	text.WriteString(`(memory (export "memory") 1) (data (i32.const 0) "on x") (func (export "hr_abi_1"))
		(func (export "hr_event") (result i64) (i64.const 0))
		(func (export "hr_init") (result i64) (call $subscribe (i32.const 0) (i32.const 4)) (i64.const 0x40000000400)))`)
	loadText(t, text.String())
}

// TestUnknownRecords has a plugin answer with records that no router knows, around
// two that every router does.
func TestUnknownRecords(t *testing.T) {
	trial := loadText(t, `(module
	  (import "hr" "subscribe" (func $subscribe (param i32 i32)))
	  (memory (export "memory") 1)
	  (data (i32.const 0) "on volume.resize.end\n")
	  (data (i32.const 2048)
	    "\63\00\00\00" "\03\00\00\00" "xyz"
	    "\01\00\00\00" "\1a\00\00\00" "\10\00" "\00\00" "\00\00\00\00" "project/p1/sizes" "{}"
	    "\ff\ff\ff\ff" "\00\00\00\00"
	    "\02\00\00\00" "\00\00\00\00")
	  (func (export "hr_abi_1"))
	  (func (export "hr_init") (result i64)
	    (call $subscribe (i32.const 0) (i32.const 21))
	    (i64.const 0x0000040000000400))
	  (func (export "hr_event") (result i64)
	    (i64.const 0x000008000000003d)))`)
	a := trial.Send(context.Background(), example(t))
	if len(a.Emissions) != 1 || a.Emissions[0].String() != "project/p1/sizes  {}" || !a.Stopped || a.Fault != "" {
		t.Errorf("%+v", a)
	}
}
