package testplugins

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin"
)

var update = flag.Bool("update", false, "write what happens into the expect.txt files, for review")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answered is how many notifications a plugin gets that is not quarantined
// before.
const answered = 12

// TestMisbehaviour puts each plugin between two healthy ones, sends it
// notifications, and compares what becomes of it with its expect.txt. The
// neighbours answer every notification.
func TestMisbehaviour(t *testing.T) {
	names, err := Names(".")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	neighbour := mustBuild(t, "neighbour")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			w, h := host(t, map[string][]byte{
				"10-before.wasm": neighbour, "50-" + name + ".wasm": mustBuild(t, name), "90-after.wasm": neighbour,
			})
			emitted := watch(t, w, h, name)
			got := describe(status(t, h, name), emitted)
			path := filepath.Join(name, "expect.txt")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			words, want := split(string(text))
			if words == "" {
				t.Error("expect.txt says nothing in words")
			}
			if *update {
				if err := os.WriteFile(path, []byte(words+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// host loads the modules into a host that quarantines for three faults.
func host(t *testing.T, files map[string][]byte) (*plugin.Runner, *plugin.Host) {
	t.Helper()
	c := plugin.DefaultConfig()
	c.Dir, c.CacheDir = t.TempDir(), "none"
	c.FaultLimit, c.FaultWindow, c.FaultPause = 3, time.Hour, time.Millisecond
	c.CallTimeout, c.StartTimeout = time.Minute, time.Minute // the machine may be slow
	settings := make(map[string]plugin.Settings)
	for name, module := range files {
		_, rest, _ := strings.Cut(strings.TrimSuffix(name, ".wasm"), "-")
		settings[rest] = plugin.Settings{Grants: grants(t, rest)}
		if err := os.WriteFile(filepath.Join(c.Dir, name), module, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := plugin.New(c, settings, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	w := h.NewRunner()
	t.Cleanup(w.Close)
	return w, h
}

// grants are the plugin's: one memory for all projects, as what it does wrong may
// take several projects' notifications, unless its expect.txt says otherwise.
func grants(t *testing.T, name string) []string {
	t.Helper()
	if text, err := os.ReadFile(filepath.Join(name, "expect.txt")); err == nil && strings.Contains(string(text), withoutShared) {
		return nil
	}
	return []string{"shared"}
}

// withoutShared is in the expect.txt of a plugin that is to have one memory per
// project.
const withoutShared = "# Without the grant shared."

// watch sends notifications until the plugin is quarantined or has had enough
// of them, makes sure that its neighbours answer each, and gives what the plugin
// emits.
func watch(t *testing.T, w *plugin.Runner, h *plugin.Host, name string) (emitted []string) {
	t.Helper()
	n := notification(t)
	deadline := time.Now().Add(time.Minute)
	for had := 0; had < answered && status(t, h, name).State != plugin.Quarantined; {
		n.Project = fmt.Sprintf("%032x", had) // only several projects' faults are the plugin's
		if time.Now().After(deadline) {
			t.Fatal("it takes too long")
		}
		var neighbours []string
		outcome := w.Handle(context.Background(), n, func(e plugin.Emission) {
			line := fmt.Sprintf("%s %q %s", e.Channel, e.Key, e.Payload)
			if e.Plugin == name {
				emitted = append(emitted, line)
			} else {
				neighbours = append(neighbours, e.Plugin+" "+line)
			}
		})
		if diff := cmp.Diff([]string{`before public/neighbour "" "well"`, `after public/neighbour "" "well"`}, neighbours); diff != "" {
			t.Fatalf("the neighbours suffer: %s", diff)
		}
		if outcome.Skipped == 0 {
			had++
		}
	}
	return emitted
}

// describe is the second half of an expect.txt.
func describe(s plugin.Status, emitted []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "state: %s\n", s.State)
	if s.State != plugin.Running {
		fmt.Fprintf(&b, "reason: %s\n", s.Reason)
	}
	for i := 0; i < len(emitted); {
		times := 0
		for _, e := range emitted {
			if e == emitted[i] {
				times++
			}
		}
		first := true
		for _, e := range emitted[:i] {
			first = first && e != emitted[i]
		}
		if first {
			fmt.Fprintf(&b, "emits: %s (%d times)\n", emitted[i], times)
		}
		i++
	}
	return b.String()
}

// split parts the words of an expect.txt from what must happen exactly.
func split(text string) (words, exact string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			words += line
		} else {
			exact += line
		}
	}
	return words, exact
}

func status(t *testing.T, h *plugin.Host, name string) plugin.Status {
	t.Helper()
	for _, s := range h.Status() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no status of %s", name)
	return plugin.Status{}
}

func mustBuild(t *testing.T, name string) []byte {
	t.Helper()
	module, err := Build(".", name)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

func notification(t *testing.T) *event.Notification {
	t.Helper()
	n := new(event.Notification)
	if err := n.Load([]byte(`{"payload": {"id": "6b1f0c52-60f1-4a2c-8b7a-0d5f3b9a4c11"}}`)); err != nil {
		t.Fatal(err)
	}
	n.Type, n.MessageID, n.Project = "compute.instance.update", "m-1", "8f3c0d6e5a0b4b7c9d1e2f3a4b5c6d7e"
	n.SetTime(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))
	return n
}

// None of the channels that a plugin forges gets past the door.
func TestForgedChannelsAreRefused(t *testing.T) {
	for name, want := range map[string]int{"forged-channels": 6, "forged-topics": 5} {
		t.Run(name, func(t *testing.T) {
			w, _ := host(t, map[string][]byte{"50-" + name + ".wasm": mustBuild(t, name)})
			n := notification(t)
			judged := 0
			var judge auth.Judge
			w.Handle(context.Background(), n, func(e plugin.Emission) {
				judged++
				if _, err := judge.Verdict(e.Permit, n, e.Channel); err == nil {
					t.Errorf("an emission to %s gets through", e.Channel)
				}
			})
			if judged != want {
				t.Errorf("%d emissions were judged", judged)
			}
		})
	}
}
