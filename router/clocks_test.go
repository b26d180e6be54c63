package router

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestClocks(t *testing.T) {
	log, reg := new(strings.Builder), prometheus.NewRegistry()
	c := newClocks(slog.New(slog.NewTextHandler(log, nil)), reg)
	metric := func() string {
		t.Helper()
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range families {
			for _, m := range f.Metric {
				all = append(all, fmt.Sprint(m.Label[0].GetValue(), " ", m.Gauge.GetValue()))
			}
		}
		return strings.Join(all, ", ")
	}
	now := time.Now()
	for _, step := range []struct {
		what      string
		after     time.Duration
		publisher string
		skew      time.Duration
		want, log string
	}{
		{"right", 0, "compute.b", -20 * time.Millisecond, "", ""},
		{"ahead", 0, "compute.a", 10 * time.Minute, "compute.a 600", "publisher=compute.a ahead=10m0s"},
		{"again", 2 * time.Minute, "compute.a", 11 * time.Minute, "compute.a 660", ""},
		{"another, while the last that was right is long ago", 0, "compute.c", -time.Hour, "compute.a 660", ""},
		{"right", 0, "compute.b", time.Second, "compute.a 660", ""},
		{"a little late", 0, "compute.b", -9 * time.Second, "compute.a 660", ""},
		{"behind", time.Second, "compute.c", -time.Hour, "compute.a 660, compute.c -3600", "publisher=compute.c ahead=-1h0m0s"},
		{"mended", 0, "compute.a", 0, "compute.c -3600", ""},
		{"wrong again, a second later", time.Second, "compute.a", time.Minute, "compute.a 60, compute.c -3600", ""},
		{"a minute later", time.Minute, "compute.a", time.Minute, "compute.a 60, compute.c -3600", "publisher=compute.a"},
	} {
		log.Reset()
		now = now.Add(step.after)
		c.observe(step.publisher, step.skew, now)
		if got := metric(); got != step.want {
			t.Errorf("%s: metric %q, want %q", step.what, got, step.want)
		}
		if got := log.String(); (got != "") != (step.log != "") || !strings.Contains(got, step.log) {
			t.Errorf("%s: log %q, want %q", step.what, got, step.log)
		}
	}
}

// TestWrongClockIsMeasured sends a notification from a host that is a day ahead.
func TestWrongClockIsMeasured(t *testing.T) {
	b := newTestbed(t, nil)
	at := time.Now().UTC().Format("2006-01-02 15:04:05")
	right := notification("1", "compute.instance.update", "alpha", nil)
	right = bytes.Replace(right, []byte("2026-11-23 10:00:00.123000"), []byte(at), 1)
	ahead := bytes.Replace(right, []byte(at), []byte("9999"+at[4:]), 1)
	b.submit(right, "", delivery{b})
	b.submit(bytes.ReplaceAll(ahead, []byte("compute.host1"), []byte("compute.host2")), "", delivery{b})
	b.finish()
	if len(b.clocks.wrong) != 1 || b.clocks.wrong["compute.host2"] == nil {
		t.Fatalf("%v", b.clocks.wrong)
	}
}

// TestClocksAreBounded: publishers without end are neither remembered nor logged.
func TestClocksAreBounded(t *testing.T) {
	log := new(strings.Builder)
	c := newClocks(slog.New(slog.NewTextHandler(log, nil)), prometheus.NewRegistry())
	now := time.Now()
	for i := range 10_000 {
		c.observe(strings.Repeat("x", 1000-i%1000)+fmt.Sprint(i), time.Hour, now)
		c.observe(fmt.Sprint(i, "\xff", strings.Repeat("x", 1000)), time.Hour, now)
	}
	if len(c.wrong) != maxClocks || strings.Count(log.String(), "\n") != 1 {
		t.Fatalf("%d publishers, log:\n%s", len(c.wrong), log)
	}
	for name := range c.wrong {
		if len(name) > maxPublisher {
			t.Fatalf("a name of %d bytes", len(name))
		}
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	if _, err := reg.Gather(); err != nil {
		t.Fatal(err)
	}
}

// TestRightClocksCostNothing: what is right allocates nothing.
func TestRightClocksCostNothing(t *testing.T) {
	c := newClocks(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	now := time.Now()
	c.observe("compute.a", time.Hour, now)
	if n := testing.AllocsPerRun(100, func() { c.observe("compute.b", -time.Millisecond, now) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
