package router

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

var write = flag.Bool("write", false, "write the table of metrics into docs/operating.md")

// description is how a metric describes itself.
var description = regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: "([^"]*)".*, variableLabels: \{(.*)\}\}$`)

// TestMetricsPage holds the operator's page to the metrics that there are.
func TestMetricsPage(t *testing.T) {
	const page, begin, end = "../docs/operating.md", "-run TestMetricsPage -write -->\n", "<!-- end of metrics -->\n"
	cfg := DefaultConfig()
	cfg.AMQP.URLs = []string{"amqp://127.0.0.1:1/"}
	cfg.Plugins.Dir, cfg.Plugins.CacheDir = t.TempDir(), "none"
	cfg.Server.Listen, cfg.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Auth.Keystone.URL = "http://127.0.0.1:1/v3"
	cfg.Auth.JWT.HMACSecret = strings.Repeat("x", 32)
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	source, err := NewRabbit(cfg, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(t.Context(), cfg, Parts{Source: source, Log: log, Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := r.Run(stopped); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no lines %q and %q for the table to stand between", page, begin, end)
	}
	want := metricsTable(reg)
	if *write {
		if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("go test ./router -run TestMetricsPage -write mends %s (-metrics +page):\n%s", page, diff)
	}
}

func metricsTable(reg *prometheus.Registry) string {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		reg.Describe(descriptions)
	}()
	var lines []string
	for d := range descriptions {
		m := description.FindStringSubmatch(d.String())
		if m == nil || !strings.HasPrefix(m[1], "horizon_realtime_") {
			continue
		}
		labels := strings.ReplaceAll(m[3], ",", ", ")
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s |\n", strings.TrimPrefix(m[1], "horizon_realtime_"), labels, m[2]))
	}
	slices.Sort(lines)
	return "\n| `horizon_realtime_…` | labels | |\n|---|---|---|\n" + strings.Join(slices.Compact(lines), "") + "\n"
}
